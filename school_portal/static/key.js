// Signing with a CA key: window.portalKey, the sign-in page, and forms with data-sign.
(() => {
  "use strict";

  // list() -> [{id, name}], certificate(id, pin) and sign(id, pin, text) -> base64
  const portalKey = window.portalKeyAgent(document.currentScript.dataset.agent);
  window.portalKey = portalKey;

  function tell(form, text) {
    const told = form.querySelector("[data-sign-error]");
    told.textContent = text;
    told.hidden = !text;
  }

  // Nothing can be sent twice while the key works; what goes wrong is said in the form.
  async function work(form, task) {
    const buttons = form.querySelectorAll("button");
    tell(form, "");
    for (const button of buttons) button.disabled = true;
    try {
      await task();
    } catch (error) {
      tell(form, error.message);
    }
    for (const button of buttons) button.disabled = false;
  }

  // The keys that can be chosen, and in words what came of looking for them. One key is chosen;
  // of several none is: nobody signs with another's by mistake, and of the last nothing is kept.
  async function fill(form) {
    const select = form.querySelector("[data-key]");
    const said = form.querySelector("[data-key-state]");
    const chosen = select.value;
    const show = (text, ...options) => {
      select.replaceChildren(...options);
      said.textContent = text;
    };
    show("正在读取密钥，请稍候。", new Option("正在读取…", ""));
    try {
      const keys = await portalKey.list();
      const options = keys.map((key) => new Option(key.name, key.id));
      if (!keys.length)
        show("没有读到密钥，请插入密钥后点“重新读取密钥”。", new Option("没有读到密钥", ""));
      else if (keys.length === 1) show("读到 1 把密钥。", ...options);
      else {
        const none = new Option("请选择密钥", "");
        show(`读到 ${keys.length} 把密钥，请选择本校的一把。`, none, ...options);
        if (keys.some((key) => key.id === chosen)) select.value = chosen;
      }
    } catch (error) {
      show(error.message, new Option("没有读到密钥", ""));
    }
  }

  async function signed(form, message) {
    const id = form.querySelector("[data-key]").value;
    const pin = form.querySelector("[data-pin]").value;
    if (!id) throw new Error("请选择密钥；没有可选的，请插入密钥后点“重新读取密钥”。");
    if (!pin) throw new Error("请输入密钥的 PIN。");
    const certificate = await portalKey.certificate(id, pin);
    return { certificate, signature: await portalKey.sign(id, pin, message) };
  }

  async function signIn(form, purpose) {
    const [given, asked] = await portalAsk(form.dataset.challenge);
    if (!given) throw new Error(asked.detail);
    const message = `school-portal/v1\n${location.origin}\n${purpose}\n${asked.challenge}`;
    const { challenge } = asked;
    const next = form.dataset.next;
    const body = { ...(await signed(form, message)), challenge, purpose, next };
    const [passed, told] = await portalAsk(form.action, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (passed) return void location.assign(told.next);
    form.querySelector("[data-open-account]").hidden = !told.may_open;
    throw new Error(told.detail);
  }

  async function submit(form) {
    const made = await signed(form, form.dataset.signMessage);
    for (const name of ["certificate", "signature"]) form.elements[name].value = made[name];
    form.submit();
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form[data-sign], form[data-key-sign-in]")) return;
    event.preventDefault();
    const purpose = event.submitter?.dataset.purpose ?? "sign-in";
    work(form, () => (form.matches("[data-sign]") ? submit(form) : signIn(form, purpose)));
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-key-list]")) fill(event.target.form);
  });
  for (const form of document.querySelectorAll("form[data-sign], form[data-key-sign-in]")) {
    form.hidden = false;
    fill(form);
  }
})();
