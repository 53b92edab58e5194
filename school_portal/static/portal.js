// Everything here is a convenience: pages read and forms submit without it.
(() => {
  "use strict";

  // Trusted Types: text becomes HTML only where nothing in it can run; code never comes from text.
  const runs = /<(script|iframe|object|embed|base|meta)\b/i;
  window.trustedTypes?.createPolicy("default", {
    createHTML: (text) => {
      if (runs.test(text)) throw new TypeError("HTML that would run");
      return text;
    },
  });

  // On a phone the navigation is one line: where one is stands in sight.
  document.querySelector(".side a[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

  // Leaving a form with unsaved changes asks first.
  const dirty = new Set();
  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-guard]");
    if (form) dirty.add(form);
  });
  document.addEventListener("submit", (event) => {
    dirty.delete(event.target);
    const button = event.submitter;
    // One click, one request; the value of a named button still has to be sent.
    setTimeout(() => {
      if (button && !button.name && !event.defaultPrevented) button.disabled = true;
    }, 0);
  });
  window.addEventListener("beforeunload", (event) => {
    if (dirty.size) event.preventDefault();
  });
  window.addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll("button:disabled")) button.disabled = false;
  });

  // A file beyond the limit is told before it travels; the server judges it all the same.
  document.addEventListener("change", (event) => {
    const input = event.target.closest("input[type=file][data-limit]");
    if (!input) return;
    input.parentElement.querySelector("[data-too-large]")?.remove();
    if (!input.files[0] || input.files[0].size <= Number(input.dataset.limit)) return;
    const told = document.createElement("p");
    told.className = "field-error";
    told.dataset.tooLarge = "";
    told.setAttribute("role", "alert");
    told.textContent = `“${input.files[0].name}”超过 ${input.dataset.limit / 1048576} MB，请删去无关内容或分成几个文件后再选。`;
    input.after(told);
    input.value = "";
  });

  // Filters apply as soon as they are chosen.
  document.addEventListener("change", (event) => {
    if (event.target.matches("form[data-instant] select")) event.target.form.requestSubmit();
  });

  // How many lines of a list are selected.
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-select]");
    const told = form?.querySelector("[data-selected]");
    if (told) told.textContent = `已选 ${form.querySelectorAll("input:checked").length} 条`;
  });

  // A clause opens beside the page that cites it; without this script it is a page of its own.
  const panel = document.getElementById("side-panel");
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-clause]");
    if (event.target.closest("[data-close]") || event.target === panel) panel.close();
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const answer = await fetch(link.href, { headers: { "HX-Request": "true" } });
    if (!answer.ok) return void (location.href = link.href);
    document.getElementById("side-panel-text").innerHTML = await answer.text();
    panel.showModal();
  });

  // A draft saves itself: what is on its way needs no asking; what was not kept is said.
  document.addEventListener("htmx:beforeSend", (event) => dirty.delete(event.detail.elt));
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { target, xhr } = event.detail;
    if (target.id === "saved" && [409, 422].includes(xhr.status)) event.detail.shouldSwap = true;
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const { elt, successful, xhr } = event.detail;
    if (!elt.matches("form[data-guard]") || successful) return;
    dirty.add(elt);
    if (![409, 422].includes(xhr.status))
      document.getElementById("saved").textContent = "没有保存，请检查网络后点“保存草稿”。";
  });

  // What people print is printed whole: the list's page for print, and what is folded on the screen.
  const whole = document.querySelector("[data-print-all]");
  document.addEventListener("keydown", (event) => {
    if (!whole || !(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "p") return;
    event.preventDefault();
    location.href = whole.href;
  });
  let folded = [];
  window.addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open]):not(.file)")];
    for (const one of folded) one.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const one of folded) one.open = false;
  });
  const printing = document.querySelector("[data-print]");
  printing?.addEventListener("click", () => print());
  printing?.removeAttribute("hidden");

  // Progress is read out when it has something new to say, not at every refresh.
  const live = document.getElementById("live");
  document.addEventListener("htmx:afterSettle", () => {
    const said = document.querySelector("[data-announce]")?.dataset.announce;
    if (said && live.textContent !== said) live.textContent = said;
  });
})();
