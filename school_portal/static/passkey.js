// Passkeys: a button with data-passkey asks the authenticator, then sends its form with the answer.
(() => {
  "use strict";

  const WORDS = {
    NotAllowedError: "没有完成：操作已取消或超时，请再试一次。",
    InvalidStateError: "这台设备上已有您的通行密钥，不必再添加。",
    NotSupportedError: "这台设备不支持所需的通行密钥，请换一台设备。",
    SecurityError: "现在的网址不能使用通行密钥，请用平台的正式网址打开。",
  };
  const supported = Boolean(window.PublicKeyCredential);

  const bytes = (text) =>
    Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  const base64 = (buffer) =>
    btoa(Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join(""))
      .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

  function tell(part, text) {
    const told = part.querySelector("[data-passkey-error]");
    told.textContent = text;
    told.hidden = !text;
  }

  // The options that the server gives for this button, with a challenge good once.
  async function ask(button) {
    const [allowed, given] = await portalAsk(button.dataset.passkey, {
      method: "POST",
      headers: { Accept: "application/json", "X-CSRFToken": button.form.elements.csrf_token.value },
      body: new URLSearchParams(button.dataset.use ? { use: button.dataset.use } : {}),
    });
    if (!allowed) throw new Error(given.detail);
    given.challenge = bytes(given.challenge);
    if (given.user) given.user.id = bytes(given.user.id);
    for (const one of [...(given.allowCredentials ?? []), ...(given.excludeCredentials ?? [])])
      one.id = bytes(one.id);
    return given;
  }

  // What the server verifies: each part of the answer in base64url.
  function told(credential) {
    const { id, type, response } = credential;
    const parts = { transports: response.getTransports?.() };
    for (const name of
      ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"])
      if (response[name]) parts[name] = base64(response[name]);
    return JSON.stringify({ id, rawId: base64(credential.rawId), type, response: parts });
  }

  async function work(button) {
    const part = button.closest("[data-passkey-part]");
    tell(part, "");
    button.disabled = true;
    try {
      const publicKey = await ask(button);
      const how = publicKey.user ? "create" : "get";
      const credential = await navigator.credentials[how]({ publicKey });
      part.querySelector("[data-passkey-answer]").value = told(credential);
      button.form.submit();
    } catch (error) {
      if (!(error instanceof DOMException)) tell(part, error.message);
      else tell(part, WORDS[error.name] ?? "浏览器没有完成，请再试一次，或改用其他方式。");
      button.disabled = false;
    }
  }

  document.addEventListener("submit", (event) => {
    if (!event.submitter?.matches("[data-passkey]")) return;
    event.preventDefault();
    work(event.submitter);
  });
  for (const part of document.querySelectorAll("[data-passkey-part]")) {
    part.querySelector("[data-passkey]").hidden = !supported;
    const off = part.querySelector("[data-passkey-off]");
    off.hidden = supported;
    off.textContent = "这个浏览器不支持通行密钥，请换用较新的浏览器。";
  }
})();
