// Text that is drawn too small, and elements that make the document wider than the window.
minimum => {
    const name = element => {
        const classes = typeof element.className === 'string' && element.className.trim() !== '' ? '.' + element.className.trim().split(/\s+/).join('.') : '';
        return element.tagName.toLowerCase() + (element.id ? '#' + element.id : '') + classes;
    };

    // Drawings are scaled as a whole.
    const scale = element => {
        const drawing = element.closest('svg');
        return drawing?.getScreenCTM()?.a ?? 1;
    };

    const small = new Map();
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const text = texts.currentNode.textContent.trim();
        const element = texts.currentNode.parentElement;
        if (text === '' || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) {
            continue;
        }

        const range = document.createRange();
        range.selectNodeContents(texts.currentNode);
        const box = range.getBoundingClientRect();
        const size = parseFloat(getComputedStyle(element).fontSize) * scale(element);
        // Half a tenth of a pixel is rounding.
        if (box.width > 1 && box.height > 1 && size < minimum - 0.05 && !small.has(name(element))) {
            small.set(name(element), `${size.toFixed(1)} px: "${text.slice(0, 40)}" in ${name(element)}`);
        }
    }

    // What scrolls by itself does not make the document wider.
    const scrolls = element => element !== document.body && (getComputedStyle(element).overflowX !== 'visible' || (element.parentElement && scrolls(element.parentElement)));

    const width = document.documentElement.clientWidth;
    const overflow = Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) - width;
    const wide = overflow <= 0 ? [] : [...document.body.querySelectorAll('*')]
        .filter(element => element.getBoundingClientRect().right > width && !scrolls(element))
        .slice(0, 3)
        .map(name);
    return { small: [...small.values()], overflow, wide };
}
