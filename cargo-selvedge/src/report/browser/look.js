// Evaluated in each page by the gate: what is wrong with it.
(() => {
  for (const details of document.querySelectorAll("details")) details.open = true;
  const name = (element) => {
    const text = element.textContent.trim().slice(0, 40);
    const kind = element.getAttribute("class");
    return element.localName + (kind ? "." + kind : "") + " " + JSON.stringify(text);
  };
  const overflows = [], missing = [], broken = [];

  const room = document.documentElement.clientWidth;
  const scrolls = (element) => element.closest(".scroll, pre");
  for (const element of document.querySelectorAll("body *:not(svg *)")) {
    const box = element.getBoundingClientRect();
    const inside = scrolls(element);
    if (box.width > 0 && (box.right > room + 0.5 || box.left < -0.5) && (!inside || inside === element)) {
      overflows.push(name(element));
    }
  }
  for (const cell of document.querySelectorAll("th, td, li, button, .chip, summary, h1, h2, h3")) {
    if (cell.clientWidth > 0 && cell.scrollWidth > cell.clientWidth + 1) overflows.push(name(cell));
  }
  if (document.documentElement.scrollWidth > room) overflows.push("the page: " + document.documentElement.scrollWidth);

  for (const text of document.querySelectorAll(".row > text.step, .row > text.end, .row > text.remark")) {
    const box = text.parentNode.querySelector("rect.box, rect.bar, rect.mark").getBBox();
    const words = text.getBBox();
    if (words.x < box.x || words.x + words.width > box.x + box.width) overflows.push(name(text));
  }
  for (const svg of document.querySelectorAll("figure svg")) {
    for (const text of svg.querySelectorAll("text")) {
      const words = text.getBBox();
      const sheet = svg.viewBox.baseVal;
      if (words.x < 0 || words.x + words.width > sheet.width || words.y + words.height > sheet.height) {
        overflows.push(name(text));
      }
    }
  }

  const figures = document.querySelectorAll("figure.interleaving");
  for (const model of document.querySelectorAll("[data-drawings]")) {
    const drawn = model.querySelectorAll("figure.interleaving svg").length;
    if (drawn !== Number(model.dataset.drawings)) {
      missing.push(model.id + ": " + drawn + " of " + model.dataset.drawings + " drawings");
    }
  }
  for (const svg of document.querySelectorAll("figure.interleaving svg")) {
    if (svg.getBoundingClientRect().height < 60 || !svg.querySelector(".row .end")) missing.push("a drawing");
  }

  for (const link of document.querySelectorAll('a[href^="#"]')) {
    if (!document.getElementById(link.getAttribute("href").slice(1))) broken.push(link.outerHTML);
  }
  for (const element of document.querySelectorAll("[src], link[href]")) {
    const url = element.getAttribute("src") || element.getAttribute("href");
    if (!url.startsWith("data:")) broken.push("loads " + url);
  }
  if (document.querySelector("parsererror")) broken.push("it is not well-formed");

  const steppers = document.querySelectorAll("figure.interleaving > .stepper").length;
  return { overflows, missing, broken, figures: figures.length, steppers };
})()
