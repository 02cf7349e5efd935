// The page "Is my gradient right?": a text, what to review it as, and the report of Python.
"use strict";
if (Python.at && document.getElementById("gradient")) {
  const form = document.getElementById("gradient");
  const seconds = Number(form.dataset.seconds);
  const parts = ["text", "subject", "name", "stop", "link", "said", "report"];
  const [text, subject, name, stop, link, said, report] = parts.map((part) =>
    document.getElementById(`gradient-${part}`),
  );
  const examples = JSON.parse(form.querySelector("script").textContent);
  const review = form.querySelector("[type=submit]");
  let python = null;

  // What can be reviewed: the functions and classes of the text, the likeliest one first chosen.
  const wanted = {
    batchnorm_backward: /backward|grad|^bp|^class /i,
    batchnorm_forward: /forward/i,
  };
  const names = () => {
    const found = [...text.value.matchAll(/^(def|class)\s+([\p{L}_][\p{L}\p{N}_]*)/gmu)];
    const before = name.value;
    const fits = found.filter(([all]) => (wanted[subject.value] ?? /./).test(all));
    name.replaceChildren(...found.map(([, , one]) => new Option(one)));
    const kept = before && found.some(([, , one]) => one === before) && name.dataset.chosen;
    name.value = kept ? before : (fits.at(-1) ?? found.at(-1) ?? [])[2] ?? "";
  };

  const fill = (code) => {
    text.value = code;
    delete name.dataset.chosen;
    names();
  };

  const hash = () => {
    const held = new URLSearchParams(location.hash.slice(1));
    if (!held.has("code")) return false;
    const choose = (list, value) => {
      if ([...list.options].some((option) => option.value === value)) list.value = value;
    };
    choose(subject, held.get("as"));
    fill(held.get("code"));
    choose(name, held.get("name"));
    name.dataset.chosen = "by the link";
    return true;
  };

  const run = async () => {
    review.disabled = true;
    stop.hidden = false;
    report.replaceChildren();
    const tell = (progress) => { said.textContent = `${progress} …`; };
    python ??= new Python("page_review");
    let late;
    try {
      await python.start(tell);
      tell("Reviewing");
      const why = `Stopped after ${seconds} seconds: a loop without an end?`;
      late = setTimeout(() => end(why), 1000 * seconds);
      show(JSON.parse(await python.ask("report", [text.value, subject.value, name.value])));
    } catch (error) {
      if (python) end("");
      said.textContent = error.message;
    } finally {
      clearTimeout(late);
      review.disabled = false;
      stop.hidden = true;
    }
  };
  const end = (why) => {
    const ended = python;
    python = null;
    ended?.stop(why);
  };

  const show = ({ verdict, html, reproduce, printed }) => {
    said.textContent = {
      right: "Right",
      own: "Right for its own forward pass",
      wrong: "Wrong",
      unknown: "It could not be reviewed",
    }[verdict];
    report.dataset.verdict = verdict;
    report.innerHTML = html;
    for (const [title, lines] of [["To see it", reproduce], ["What your code printed", printed]]) {
      if (!lines) continue;
      const more = report.appendChild(document.createElement("details"));
      more.appendChild(document.createElement("summary")).textContent = title;
      more.appendChild(document.createElement("pre")).textContent = lines;
    }
    dispatchEvent(new Event("resize")); // boxes.js: what is wider than the page
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    run();
  });
  form.addEventListener("click", ({ target }) => {
    if (target.dataset.example) fill(examples[target.dataset.example].text);
  });
  stop.addEventListener("click", () => end("Stopped"));
  link.addEventListener("click", () => {
    location.hash = new URLSearchParams({ as: subject.value, name: name.value, code: text.value });
    navigator.clipboard?.writeText(location.href).catch(() => {});
    said.textContent = "The address of this page now holds your text";
  });
  name.addEventListener("change", () => { name.dataset.chosen = "by the reader"; });
  subject.addEventListener("change", names);
  text.addEventListener("input", () => {
    names();
    localStorage.setItem("gradient", text.value);
  });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      if (!review.disabled) run();
    } else if (event.key === "Enter" && !event.isComposing) {
      // A line begins where the one above does; Tab stays the way to the next control.
      event.preventDefault();
      const line = text.value.slice(0, text.selectionStart).split("\n").at(-1);
      const deeper = line.trimEnd().endsWith(":") ? "    " : "";
      document.execCommand("insertText", false, `\n${line.match(/^\s*/)[0]}${deeper}`);
    }
  });
  addEventListener("hashchange", hash);

  document.getElementById("gradient-none").hidden = true;
  form.hidden = false;
  if (!hash()) fill(localStorage.getItem("gradient") || examples[0].text);
}
