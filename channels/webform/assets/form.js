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

  // ALTCHA works from the first touch on; who is faster waits for it, as a form without its answer
  // has to be confirmed by mail.
  const puzzle = form.querySelector("altcha-widget");
  const solve = () => new Promise(done => {
    if (puzzle.getState() === "verified") return done();
    puzzle.addEventListener("verified", done);
    puzzle.addEventListener("statechange", e => { if (e.detail.state === "error") done(); });
    if (puzzle.getState() !== "verifying") puzzle.verify();
  });

  const wait = { solve: 10000, make: 4000, again: 8000 };
  let sending = false;
  form.addEventListener("submit", event => {
    if (sending) return event.preventDefault();
    sending = true;
    rest(true);
    const free = () => setTimeout(() => { sending = false; rest(false); }, wait.again);
    const late = ms => new Promise(done => setTimeout(done, ms));
    const work = form.dataset.execute ? Promise.race([make(), late(wait.make)])
      : puzzle && puzzle.getState && puzzle.getState() !== "verified" ? Promise.race([solve(), late(wait.solve)]) : null;
    if (!work) return free();
    event.preventDefault();
    work.catch(() => {}).finally(() => { form.submit(); free(); });
  });
  addEventListener("pageshow", event => {
    sending = false;
    if (event.persisted && puzzle && puzzle.reset) puzzle.reset(); // what it had is spent
  });
}

// The page around a frame is told how high it has to be, if it is one that may be there. That is
// the height of what is in it: scrollHeight would never be less than the frame is.
const inFrame = document.querySelector("[data-parent]");
if (inFrame && window.parent !== window) {
  const tell = () => window.parent.postMessage({ leadgateHeight: document.documentElement.offsetHeight }, inFrame.dataset.parent);
  new ResizeObserver(tell).observe(document.body);
  tell();
}
