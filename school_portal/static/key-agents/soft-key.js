// The agent of `school-portal soft-key serve`, or another that answers as it does.
// Each agent's file makes window.portalKeyAgent(origin): list, certificate and sign, whose
// errors say in Chinese what to do.
(() => {
  "use strict";

  const REFUSALS = {
    pin: "PIN 不对，或多次输错后密钥已锁定，请核对后重新输入；已锁定的，请重新启动密钥程序。",
    origin: "密钥程序不允许本网站使用密钥，请从登记的网址进入，或联系密钥管理人员。",
    request: "密钥已不在，请点“重新读取密钥”后再选。",
  };

  const FAILED =
    "密钥程序没有完成，请再试一次；仍然不行的，请重新启动密钥程序后点“重新读取密钥”。";
  const LISTED_WITHIN = 5000; // milliseconds; who signs may take longer

  // That part of the agent's answer.
  async function ask(part, address, document) {
    const how = document
      ? {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify(document),
        }
      : { signal: AbortSignal.timeout(LISTED_WITHIN) };
    let answer;
    try {
      answer = await fetch(address, how);
    } catch {
      throw new Error("没有找到密钥程序。请插入密钥，确认密钥程序正在运行，然后点“重新读取密钥”。");
    }
    const told = (await answer.json().catch(() => null)) ?? {};
    if (!answer.ok || told[part] === undefined) throw new Error(REFUSALS[told.error] ?? FAILED);
    return told[part];
  }

  window.portalKeyAgent = (origin) => ({
    list: () => ask("keys", `${origin}/keys`),
    certificate: (key, pin) => ask("certificate", `${origin}/certificate`, { key, pin }),
    sign: (key, pin, message) => ask("signature", `${origin}/sign`, { key, pin, message }),
  });
})();
