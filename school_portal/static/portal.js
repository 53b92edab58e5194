// Everything here is a convenience: pages read and forms submit without it.
(() => {
  "use strict";

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
    if (button && !button.name) setTimeout(() => (button.disabled = true), 0);
  });
  window.addEventListener("beforeunload", (event) => {
    if (dirty.size) event.preventDefault();
  });
  window.addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll("button:disabled")) button.disabled = false;
  });

  // Filters apply as soon as they are chosen.
  document.addEventListener("change", (event) => {
    if (event.target.matches("form[data-instant] select")) event.target.form.requestSubmit();
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

  // Progress is read out when it has something new to say, not at every refresh.
  const live = document.getElementById("live");
  document.addEventListener("htmx:afterSettle", () => {
    const said = document.querySelector("[data-announce]")?.dataset.announce;
    if (said && live.textContent !== said) live.textContent = said;
  });
})();
