// What was read and solved: kept in this browser alone, shown in the contents, the reader's to take
// along or delete. A chapter is read where its end was seen; an exercise is solved by a tick.
"use strict";
{
  const load = () => JSON.parse(localStorage.getItem("progress") ?? '{"read": [], "solved": []}');
  const change = (kind, name, on) => {
    const kept = load();
    kept[kind] = kept[kind].filter((one) => one !== name);
    if (on) kept[kind].push(name);
    localStorage.setItem("progress", JSON.stringify(kept));
    show();
  };
  const page = location.pathname.split("/").at(-1);
  const chapter = /^(\d+)_\w+\.html$/;

  const show = () => {
    const { read, solved } = load();
    for (const link of document.querySelectorAll(".bd-links a, .toctree-wrapper a")) {
      const name = new URL(link.href).pathname.split("/").at(-1);
      if (!chapter.test(name) || link.hash) continue;
      const count = solved.filter((one) => one.startsWith(`${name.match(chapter)[1]}.`)).length;
      const said = [read.includes(name) && "read", count && `${count} solved`];
      link.dataset.progress = said.filter(Boolean).join(", ");
    }
    for (const tick of document.querySelectorAll(".solved input")) {
      tick.checked = solved.includes(tick.value);
    }
    for (const button of document.querySelectorAll(".progress-kept button")) {
      button.disabled = !read.length && !solved.length;
    }
  };

  // An exercise begins with its number.
  for (const number of document.querySelectorAll("#exercises > p > strong:first-child")) {
    if (!/^\d+\.\d+$/.test(number.textContent)) continue;
    const label = document.createElement("label");
    label.className = "solved";
    const tick = label.appendChild(document.createElement("input"));
    Object.assign(tick, { type: "checkbox", value: number.textContent });
    tick.setAttribute("aria-label", `${number.textContent} solved`);
    label.append(" solved");
    tick.addEventListener("change", () => change("solved", tick.value, tick.checked));
    number.parentElement.append(" ", label);
  }

  const end = document.querySelector(".prev-next-footer");
  if (end && chapter.test(page)) {
    new IntersectionObserver(([seen]) => {
      if (seen.isIntersecting) change("read", page, true);
    }).observe(end);
  }

  const contents = document.querySelector(".bd-links");
  if (contents) {
    const box = contents.appendChild(document.createElement("p"));
    box.className = "progress-kept";
    box.append("What you have read and solved is kept in this browser alone. ");
    const add = (text, act) => {
      const button = box.appendChild(document.createElement("button"));
      Object.assign(button, { type: "button", textContent: text });
      button.addEventListener("click", act);
      box.append(" ");
    };
    add("Export", () => {
      const file = new Blob([localStorage.getItem("progress")], { type: "application/json" });
      const link = document.createElement("a");
      Object.assign(link, { href: URL.createObjectURL(file), download: "progress.json" });
      link.click();
      URL.revokeObjectURL(link.href);
    });
    add("Delete", () => {
      localStorage.removeItem("progress");
      show();
    });
  }
  addEventListener("storage", show); // another tab
  show();
}
