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
    const answer = await fetch(link.href, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (!answer?.ok) return void (location.href = link.href);
    document.getElementById("side-panel-text").innerHTML = await answer.text();
    panel.showModal();
  });

  // A page's script asks the portal: whether it was done, and the document that says so. Only what
  // got no answer at all is the network's; else the server's own words say what is wrong.
  const AWAY = "平台没有应答，请检查网络后重试。";
  const BROKEN = "平台暂时无法使用，请稍后重试。";
  window.portalAsk = async (address, how) => {
    const answer = await fetch(address, how).catch(() => {
      throw new Error(AWAY);
    });
    const told = await answer.json().catch(() => null);
    if (!told || !(answer.ok || told.detail)) throw new Error(BROKEN);
    return [answer.ok, told];
  };

  // What htmx asked for and did not get is said where its answer belongs, and stays unsaved.
  const ENDED = ["request.sign-in", "request.csrf", "request.duty"];
  const isServersLine = (target, xhr) =>
    target.id === "saved" && [409, 422].includes(xhr.status) &&
    xhr.getResponseHeader("Content-Type")?.startsWith("text/html");
  function problemOf(xhr) {
    try {
      return JSON.parse(xhr.responseText) ?? {};
    } catch {
      return {};
    }
  }
  function missed(event) {
    const { elt, target, xhr } = event.detail;
    const { code, detail = BROKEN } = problemOf(xhr);
    const guarded = elt.matches("form[data-guard]");
    const ended = ENDED.includes(code);
    if (guarded) dirty.add(elt);
    if (isServersLine(target, xhr)) return;
    if (elt.matches("[data-announce]")) return void (ended && location.reload());
    const why = ended ? "登录已结束或页面已过期，请先复制所写内容，再重新打开本页。" : detail;
    const told = document.createElement("span");
    told.className = "field-error";
    told.textContent = (guarded ? "没有保存：" : "") + (xhr.status ? why : AWAY);
    target.replaceChildren(told);
  }

  // A draft saves itself: what is on its way needs no asking; what was not kept is said.
  document.addEventListener("htmx:beforeSend", (event) => dirty.delete(event.detail.elt));
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { target, xhr } = event.detail;
    if (isServersLine(target, xhr)) event.detail.shouldSwap = true;
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!event.detail.successful) missed(event);
  });
  document.addEventListener("htmx:onLoadError", missed);

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
