// <script src="https://partners.vendor.example/embed.js" data-partner="TOKEN" data-lang="en"></script>
// puts the form where it stands. It sets no cookie and reads nothing of the page.
(function () {
  var me = document.currentScript, home = new URL(me.src).origin, q = new URLSearchParams({ embed: "1", origin: location.origin });
  if (me.dataset.partner) q.set("p", me.dataset.partner);
  if (me.dataset.lang) q.set("lang", me.dataset.lang);
  var frame = document.createElement("iframe");
  frame.src = home + "BASE/register?" + q;
  frame.title = me.dataset.title || (me.dataset.lang === "de" ? "Interessenten registrieren" : "Register a prospect");
  frame.style.cssText = "width:100%;height:60rem;border:0;color-scheme:normal";
  frame.referrerPolicy = "no-referrer";
  // A page that follows another begins at its top, wherever the visitor had got to.
  var pages = 0;
  frame.addEventListener("load", function () {
    if (pages++ && frame.getBoundingClientRect().top < 0) frame.scrollIntoView();
  });
  me.after(frame);
  addEventListener("message", function (e) {
    if (e.source === frame.contentWindow && e.origin === home && e.data && e.data.leadgateHeight > 0) {
      frame.style.height = Math.min(e.data.leadgateHeight, 10000) + "px";
    }
  });
})();
