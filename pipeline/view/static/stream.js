export class StreamView { constructor(b,l,s){ this.title=s; this.element=document.createElement("p"); this.element.textContent=s } go(){} leave(){} }
