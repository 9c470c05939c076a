// Steps through a drawing. Without this script everything is shown, at once.
(() => {
  for (const details of document.querySelectorAll("details[data-fold]")) details.open = false;
  const reveal = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const details = target && target.closest("details");
    if (details) { details.open = true; target.scrollIntoView(); }
  };
  addEventListener("hashchange", reveal);
  reveal();
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details[data-fold]")) details.open = true;
  });

  for (const figure of document.querySelectorAll("figure.interleaving")) {
    const svg = figure.querySelector("svg");
    const rows = [...svg.querySelectorAll(".row")];
    const stops = Number(svg.dataset.stops);
    const bar = document.createElement("div");
    bar.className = "stepper";
    bar.setAttribute("role", "toolbar");
    bar.setAttribute("aria-label", "Step through the interleaving");
    const status = document.createElement("span");
    status.className = "status";
    status.setAttribute("aria-live", "polite");
    // null: all of it is shown.
    let at = null;
    const go = (to) => {
      at = to === null ? null : Math.min(Math.max(to, 1), stops);
      for (const row of rows) {
        const stop = Number(row.dataset.stop);
        row.classList.toggle("later", at !== null && stop > at);
        row.classList.toggle("now", stop === at);
      }
      const now = at !== null && svg.querySelector('.row[data-stop="' + at + '"]:not([data-mark]) > title');
      status.textContent = at === null ? "" : at + " of " + stops + ": " + now.textContent.split("\n")[0];
      if (now) now.parentNode.querySelector(".box").scrollIntoView({ block: "nearest", inline: "nearest" });
      bar.querySelector('[data-act="all"]').disabled = at === null;
    };
    const acts = {
      previous: () => go(at === null ? stops : at - 1),
      next: () => go(at === null ? 1 : at + 1),
      first: () => go(1),
      last: () => go(stops),
      all: () => go(null),
    };
    const button = (act, text) => {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.act = act;
      button.textContent = text;
      button.addEventListener("click", acts[act]);
      bar.append(button);
    };
    button("previous", "← previous");
    button("next", "next →");
    button("all", "show all");
    bar.append(status);
    const keys = { ArrowLeft: "previous", ArrowRight: "next", Home: "first", End: "last", Escape: "all" };
    bar.addEventListener("keydown", (event) => {
      const act = event.altKey || event.ctrlKey || event.metaKey ? undefined : keys[event.key];
      if (!act) return;
      event.preventDefault();
      acts[act]();
    });
    figure.insertBefore(bar, figure.querySelector(".scroll"));
    go(null);
  }
})();
