// The readers' pages: keys, windows, slices, zoom, and what was looked at. The page works without
// this file too, with a form that is sent as forms are.
"use strict";
(() => {
  let seen = null;   // what happens on the case that is shown
  let retry = null;

  function start() {
    clearTimeout(retry);
    const box = document.querySelector(".pictures");
    const form = document.querySelector("#answer");
    seen = { start: performance.now(), presets: [0], frames: [0], zoom: 1, focus: 0, frame: 0, preset: 0, x: 0, y: 0 };
    if (form) {
      const questions = [...form.querySelectorAll("fieldset")];
      form.classList.toggle("many", questions.length > 1);
      if (questions.length) current(questions[0]);
      form.noValidate = true;  // the page says it in the reader's language
      form.addEventListener("submit", fill, true);
    }
    if (!box) { const first = document.querySelector("[autofocus]"); if (first) first.focus(); return; }
    box.querySelectorAll(".preset").forEach(b => b.addEventListener("click", () => { seen.preset = +b.dataset.preset; show(); b.blur(); }));
    const slider = box.querySelector(".frame");
    if (slider) slider.addEventListener("input", () => { seen.frame = +slider.value; show(); });
    box.querySelectorAll(".view").forEach(view => {
      view.addEventListener("wheel", e => { e.preventDefault(); e.ctrlKey || frames() < 2 ? zoom(e.deltaY < 0 ? 1.15 : 1 / 1.15) : turn(e.deltaY > 0 ? 1 : -1); }, { passive: false });
      let from = null;
      view.addEventListener("pointerdown", e => { from = [e.clientX - seen.x, e.clientY - seen.y]; view.setPointerCapture(e.pointerId); });
      view.addEventListener("pointermove", e => { if (from) { seen.x = e.clientX - from[0]; seen.y = e.clientY - from[1]; place(); } });
      view.addEventListener("pointerup", () => { from = null; });
    });
    const go = document.querySelector("#proceed button");
    if (go) go.focus();
  }

  const box = () => document.querySelector(".pictures");
  const frames = () => +box().dataset.frames;
  const fields = () => [...document.querySelectorAll("#answer fieldset")];

  function current(field) {
    fields().forEach(f => f.classList.toggle("current", f === field));
    if (field) field.scrollIntoView({ block: "nearest" });
  }

  function show() {
    const b = box();
    b.querySelectorAll("img").forEach(i => { i.src = `/frame/${b.dataset.number}/${i.dataset.side}/${seen.frame}/${seen.preset}`; });
    b.querySelectorAll(".preset").forEach(p => p.setAttribute("aria-pressed", String(+p.dataset.preset === seen.preset)));
    const slider = b.querySelector(".frame");
    if (slider) { slider.value = seen.frame; b.querySelector(".which").textContent = `${seen.frame + 1} / ${frames()}`; }
    if (!seen.presets.includes(seen.preset)) seen.presets.push(seen.preset);
    if (!seen.frames.includes(seen.frame)) seen.frames.push(seen.frame);
  }

  function turn(step) { seen.frame = Math.min(Math.max(seen.frame + step, 0), frames() - 1); show(); }
  let scale = 1;
  function place() { document.querySelectorAll(".view img").forEach(i => { i.style.transform = `translate(${seen.x}px, ${seen.y}px) scale(${scale})`; }); }
  function zoom(factor) {
    scale = factor === 0 ? 1 : Math.min(Math.max(scale * factor, 0.5), 12);
    if (factor === 0) { seen.x = 0; seen.y = 0; }
    seen.zoom = Math.max(seen.zoom, scale);
    place();
  }

  function fill(event) {
    const form = document.querySelector("#answer");
    const open = fields().find(f => !f.querySelector("input:checked"));
    if (open) {
      event.preventDefault(); event.stopImmediatePropagation();
      say(form.dataset.incomplete); current(open); return;
    }
    form.facts.value = JSON.stringify({ milliseconds: Math.round(performance.now() - seen.start), presets: seen.presets, frames: seen.frames, zoom: seen.zoom, focus_lost: seen.focus });
    say(form.dataset.saving);
  }

  function say(text) { const m = document.querySelector("#message"); if (m) m.textContent = text; }

  function choose(digit) {
    const all = fields();
    const field = all.find(f => f.classList.contains("current")) || all[0];
    const input = field && field.querySelectorAll("input")[digit - 1];
    if (!input) return;
    input.checked = true;
    say("");
    const next = all[all.indexOf(field) + 1];
    if (next) current(next);
  }

  document.addEventListener("keydown", e => {
    const form = document.querySelector("#answer");
    if (e.ctrlKey || e.altKey || e.metaKey) return;
    const typing = e.target.matches && e.target.matches("textarea, input:not([type=radio]):not([type=range])");
    if (typing) { if (e.key === "Escape") e.target.blur(); return; }
    if (!form) return;
    const all = fields(), at = all.findIndex(f => f.classList.contains("current"));
    const does = {
      Enter: () => form.requestSubmit(), " ": () => form.requestSubmit(),
      ArrowUp: () => turn(-1), ArrowDown: () => turn(1), PageUp: () => turn(-5), PageDown: () => turn(5),
      "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), "0": () => zoom(0),
      w: () => { seen.preset = (seen.preset + 1) % +box().dataset.presets; show(); },
      c: () => form.comment.focus(),
      Tab: () => current(all[(at + (e.shiftKey ? all.length - 1 : 1)) % all.length]),
      Backspace: () => { const b = document.querySelector("#previous"); if (b) location.assign(b.href); },
    };
    if (/^[1-9]$/.test(e.key)) { e.preventDefault(); choose(+e.key); return; }
    const act = does[e.key.length === 1 ? e.key.toLowerCase() : e.key];
    // Where a key has nothing to do here, it does what it does everywhere.
    if (!act || (e.key === "Tab" && all.length < 2) || (/^(Arrow|Page)/.test(e.key) && frames() < 2)) return;
    if (e.target.closest && e.target.closest("button, a") && (e.key === "Enter" || e.key === " ")) return;
    e.preventDefault();
    act();
  });

  function report(kind) {
    const b = box();
    if (!b || !document.querySelector("#answer")) return;
    fetch("/event", { method: "POST", headers: { "Content-Type": "application/x-www-form-urlencoded" }, body: new URLSearchParams({ kind, number: b.dataset.number }), keepalive: true }).catch(() => {});
  }
  window.addEventListener("blur", () => { if (seen) seen.focus += 1; report("focus_lost"); });
  window.addEventListener("focus", () => report("focus_back"));

  // A refused or unanswered answer stays on the page. Only what did not reach the server is sent again.
  function again() {
    const form = document.querySelector("#answer");
    if (!form) return;
    say(form.dataset.offline);
    clearTimeout(retry);
    retry = setTimeout(() => form.requestSubmit(), 3000);
  }
  document.addEventListener("htmx:error", again);
  document.addEventListener("htmx:after:swap", () => { scale = 1; start(); });
  document.addEventListener("DOMContentLoaded", start);
})();
