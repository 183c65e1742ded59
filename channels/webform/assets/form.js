// What scripts add to a form that works without them.
const form = document.getElementById("register");
const faults = document.getElementById("faults");
if (faults) faults.focus();

if (form) {
  const button = form.querySelector("button[type=submit]");
  const rest = on => on ? button.setAttribute("aria-disabled", "true") : button.removeAttribute("aria-disabled");
  addEventListener("pageshow", () => rest(false));

  // Scripts of others are loaded once the form is touched, and not before.
  const scripts = document.getElementById("captcha-scripts");
  if (scripts) form.addEventListener("focusin", () => {
    for (const s of scripts.content.querySelectorAll("script")) {
      const own = document.createElement("script");
      own.src = s.src;
      if (s.type) own.type = s.type;
      document.head.append(own);
    }
  }, { once: true });

  // Some make a token only when asked for one, which is good for two minutes.
  const token = form.querySelector(".captcha input[data-sitekey]");
  const make = async () => {
    const at = name => name.split(".").reduce((o, k) => o && o[k], window);
    const run = form.dataset.execute && token && at(form.dataset.execute);
    if (!run) return;
    const api = at(form.dataset.execute.replace(/\.execute$/, ""));
    await new Promise(done => api.ready ? api.ready(done) : done());
    token.value = await run.call(api, token.dataset.sitekey, { action: token.dataset.action });
  };
  let sending = false;
  form.addEventListener("submit", event => {
    if (sending) return event.preventDefault();
    sending = true;
    rest(true);
    setTimeout(() => { sending = false; rest(false); }, 8000);
    if (!form.dataset.execute) return;
    event.preventDefault();
    const late = new Promise(done => setTimeout(done, 4000));
    Promise.race([make(), late]).catch(() => {}).finally(() => form.submit());
  });
  addEventListener("pageshow", () => { sending = false; });
}

// The page around a frame is told how high it has to be, if it is one that may be there.
const inFrame = document.querySelector("[data-parent]");
if (inFrame && window.parent !== window) {
  const tell = () => window.parent.postMessage({ leadgateHeight: document.documentElement.scrollHeight }, inFrame.dataset.parent);
  new ResizeObserver(tell).observe(document.body);
  tell();
}
