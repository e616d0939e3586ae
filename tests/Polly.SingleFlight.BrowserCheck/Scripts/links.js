// Addresses that the page leads to, and the places in it that fragments can name.
() => ({
    links: [...document.querySelectorAll('a[href], area[href]')].map(element => element.href.baseVal ?? element.href),
    anchors: [...document.querySelectorAll('[id], a[name]')].flatMap(element => [element.id, element.name]).filter(name => typeof name === 'string' && name !== ''),
})
