
"use strict";
(() => {
  const form = document.getElementById("filter");
  const shown = document.getElementById("shown");
  const open = document.getElementById("open");
  const all = Array.from(document.querySelectorAll(".deviation"));
  const words = new Map(all.map((one) => [one, one.textContent.toLowerCase()]));
  const fields = ["subject", "group", "verdict", "standing"];

  const isWanted = (one) => {
    const wanted = form.elements.words.value.trim().toLowerCase();
    const has = (field) => ["", one.dataset[field]].includes(form.elements[field].value);
    return fields.every(has) ? words.get(one).includes(wanted) : false;
  };
  const show = () => {
    let count = 0;
    for (const one of all) {
      one.hidden = !isWanted(one);
      count += one.hidden ? 0 : 1;
    }
    for (const part of document.querySelectorAll("section.part")) {
      part.hidden = !part.querySelector(".deviation:not([hidden])");
    }
    shown.textContent = count + " of " + all.length + " deviations shown";
  };
  const choose = (chosen) => {
    form.reset();
    for (const field of fields) {
      form.elements[field].value = chosen[field] ?? "";
    }
    show();
  };

  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(show));
  open.addEventListener("click", () => {
    const seen = all.filter((one) => !one.hidden);
    const opens = seen.some((one) => !one.open);
    seen.forEach((one) => { one.open = opens; });
    open.textContent = opens ? "Close all" : "Open all";
  });
  for (const link of document.querySelectorAll("a[data-group]")) {
    link.addEventListener("click", () => choose(link.dataset));
  }
  // A link to a deviation shows it, whatever was chosen.
  const follow = () => {
    const one = document.getElementById(location.hash.slice(1));
    if (!all.includes(one)) return;
    if (one.hidden) choose({});
    one.open = true;
    one.scrollIntoView();
  };
  addEventListener("hashchange", follow);

  for (const line of document.querySelectorAll(".again")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      const code = line.querySelector("code");
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(code);
        button.textContent = "Selected";
      }
    });
    line.append(button);
  }
  if (all.length) {
    form.hidden = false;
    show();
  }
  follow();
})();
