// What scripts add to pages that work without them.
const faults = document.getElementById("faults");
if (faults) faults.focus();

const upload = document.getElementById("upload");
if (upload) {
  const button = upload.querySelector("button");
  const status = document.getElementById("sending");
  let sending = false;
  const rest = on => {
    sending = on;
    status.textContent = on ? upload.dataset.sending : "";
    if (on) button.setAttribute("aria-disabled", "true"); else button.removeAttribute("aria-disabled");
  };
  addEventListener("pageshow", () => rest(false));
  upload.addEventListener("submit", event => {
    if (sending) return event.preventDefault();
    const file = upload.elements.list.files[0];
    if (file && file.size > upload.dataset.max * 1024 * 1024) { // spares the way; the gateway looks again
      event.preventDefault();
      status.textContent = upload.dataset.large;
      upload.elements.list.focus();
      return;
    }
    rest(true);
  });
}

// The bar moves while something is under way; the page is loaded anew once that has ended.
const progress = document.getElementById("progress");
if (progress) {
  const bar = progress.querySelector("progress");
  const shown = progress.querySelector(".so-far");
  const live = progress.querySelector("[aria-live]");
  let wait = 1000, told = -1;
  const look = async () => {
    try {
      const answer = await fetch(progress.dataset.from, { cache: "no-store" });
      if (answer.status === 404) return location.reload();
      if (!answer.ok) throw new Error(answer.status);
      const now = await answer.json();
      if (now.state !== progress.dataset.state) return location.reload();
      if (now.total) { bar.max = now.total; bar.value = now.rows; }
      shown.textContent = now.said;
      const tenth = now.total ? Math.floor(10 * now.rows / now.total) : -1;
      if (tenth > told) { told = tenth; live.textContent = now.said; }
      wait = Math.min(wait + 250, 3000);
    } catch {
      wait = Math.min(2 * wait, 15000);
    }
    setTimeout(look, wait);
  };
  setTimeout(look, wait);
}
