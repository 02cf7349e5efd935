// Before the page is drawn: light or dark, as chosen last time; and that there are scripts.
{
  const page = document.documentElement;
  page.classList.add("js");
  page.dataset.mode = localStorage.getItem("mode") || "auto";
  const dark = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  page.dataset.theme = page.dataset.mode === "auto" ? dark : page.dataset.mode;

  // Paper is white.
  let theme;
  addEventListener("beforeprint", () => {
    theme = page.dataset.theme;
    page.dataset.theme = "light";
  });
  addEventListener("afterprint", () => {
    page.dataset.theme = theme;
  });
}
