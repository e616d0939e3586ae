// Diagrams keep their size, so that their text can be read; main.css lets them scroll.
const natural = { useMaxWidth: false };

export default {
    mermaid: { flowchart: natural, sequence: natural, state: natural },
};
