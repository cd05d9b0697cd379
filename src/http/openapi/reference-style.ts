/** The styles of the readable reference: one column on a phone, contents beside the text on a wide screen. */
export const stylesheet = `
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;padding:1rem;max-width:76rem;color:#1b1b1b;background:#fff}
a{color:#0b4f9c}:focus-visible{outline:3px solid #b35900;outline-offset:2px}
code,pre{font-family:ui-monospace,monospace;font-size:.9em;overflow-wrap:anywhere}
pre{background:#f3f4f6;border:1px solid #d6d9dd;border-radius:.25rem;padding:.7rem;overflow:auto;margin:.5rem 0}
pre{overflow-wrap:normal}
p{margin:.4rem 0;max-width:46rem}
h1{margin:.5rem 0;line-height:1.2}
main h2{border-bottom:2px solid #767b82;margin-top:3.5rem;padding-bottom:.2rem}
h3{font-size:1.2rem;margin:0 0 .4rem}h4{margin:1rem 0 .2rem}
section{padding:1.5rem 0;border-top:1px solid #d6d9dd}h2+p+section,h2+section{border-top:0}
.request b{color:#fff;border-radius:.25rem;padding:.15rem .5rem;font-size:.85rem}
.get{background:#0b4f9c}.post{background:#1a6b2d}.patch{background:#7a4b00}.delete{background:#a01c1c}
dl{display:grid;grid-template-columns:minmax(5rem,11rem) 1fr;gap:.5rem 1rem;margin:.4rem 0}
dl.answers{grid-template-columns:3rem 1fr}
dt{font-weight:600}dd{margin:0;min-width:0}dd p:first-child{margin-top:0}
nav{border:1px solid #d6d9dd;border-radius:.25rem;padding:.5rem 1rem;margin:1.5rem 0}
nav h2{font-size:1rem;margin:.8rem 0 .2rem}nav ul{margin:0;padding-left:1.2rem}nav small{display:block;color:#55595f}
@media (max-width:40rem){dl:not(.answers){display:block}dl:not(.answers) dd{margin:0 0 .7rem 1rem}}
@media (min-width:70rem){
body{display:grid;grid-template-columns:20rem minmax(0,1fr);gap:0 3rem}
header{grid-column:1/-1}
nav{position:sticky;top:1rem;align-self:start;max-height:calc(100vh - 2rem);overflow:auto}}
html{scroll-padding-top:1rem}
`;
