// The review page: what is shown, and what each key does.
import { Keys, keyOf } from "./review-keys.js";
import { ReviewQueue } from "./review-queue.js";
import { clearReveal, showReveal, withConfidence } from "./review-reveal.js";

const find = (id) => document.getElementById(id);
const root = find("review");
const form = find("answer");
const note = find("note");
const fast = find("fast");
const radios = [...form.querySelectorAll("input[name=value]")];
// Often enough for the lease to outlive two beats that are lost.
const HEARTBEAT_MS = Math.min(60_000, (Number(root.dataset.lease) * 1000) / 3);

const queue = new ReviewQueue({ api: root.dataset.api, scope: root.dataset.scope, csrf: csrfToken });
let shown = null;
let shownAt = 0;
let answered = Number(find("answered").textContent);
const keys = new Keys({ root, dialog: find("settings"), save: keepSettings });

function csrfToken() {
  // The cookie first: it changes when one signs in again in another tab.
  return document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? form.csrfmiddlewaretoken.value;
}

// --- Showing ---

function render() {
  const item = queue.current;
  // Out of samples while the next claim is under way is loading too.
  const state = item ? "item" : queue.claim.state === "ready" ? "loading" : queue.claim.state;
  find("work").hidden = state !== "item";
  find("loading").hidden = state !== "loading";
  find("empty").hidden = state !== "empty";
  find("trouble").hidden = state !== "trouble" && state !== "refused";
  followGuideline(queue.guideline);
  if (item) renderItem(item);
  else shown = null;
  if (state === "empty") renderEmpty();
  if (!find("trouble").hidden) renderTrouble(state);
  renderState();
}

function renderItem(item) {
  find("position").textContent =
    queue.items.length > 1 ? `${queue.position + 1} of ${queue.items.length} reserved for you` : "";
  renderLease();
  renderSeen(item);
  if (shown?.id === item.id) return;
  shown = item;
  shownAt = performance.now();
  const text = find("text");
  text.textContent = item.text;
  text.scrollTop = 0;
  find("reason").textContent = item.reason ?? "";
  find("reason").hidden = !item.reason;
  const draft = queue.draft(item.id);
  for (const radio of radios) radio.checked = radio.value === draft.value;
  note.value = draft.note ?? "";
  showNote(Boolean(note.value));
}

// What this person knows of the model's answer already: by lot, or because they took an answer back.
function renderSeen(item) {
  find("shown-first").hidden = !item.shown || item.unblinded;
  if (item.shown) find("shown-first-label").textContent = withConfidence(item.shown);
  find("second-thought").hidden = !item.unblinded;
}

function renderEmpty() {
  const { empty } = queue.claim;
  find("empty-why").textContent =
    empty?.message ?? "Nothing is waiting. New samples arrive with feedback; this page looks again by itself.";
}

function renderTrouble(state) {
  find("trouble-why").textContent = queue.signedOut
    ? "You are signed out. Sign in again (it opens in another tab), then go on here."
    : state === "refused"
      ? queue.claim.error
      : `${keptAnswers()}It is tried again by itself; check your network if this lasts.`;
  renderSignIn(find("trouble-why"));
}

function renderSignIn(after) {
  root.querySelectorAll(".sign-in").forEach((each) => each.remove());
  if (!queue.signedOut) return;
  const link = document.createElement("a");
  Object.assign(link, { className: "sign-in", href: root.dataset.login, target: "_blank", textContent: "Sign in" });
  const again = document.createElement("button");
  Object.assign(again, { type: "button", className: "sign-in button button--quiet button--small", textContent: "Send again" });
  again.dataset.act = "again";
  after.append(" ", link, " ", again);
}

function keptAnswers() {
  const count = queue.sending;
  if (!count) return "";
  return `${count === 1 ? "One answer is" : `${count} answers are`} kept on this device. `;
}

function renderState() {
  const state = find("state");
  const isWaiting = queue.failures > 0 || queue.signedOut;
  // Only what went wrong is worth interrupting a screen reader for.
  state.setAttribute("aria-live", isWaiting ? "polite" : "off");
  state.dataset.state = isWaiting ? "waiting" : "";
  if (queue.signedOut) {
    state.textContent = `◆ Signed out. ${keptAnswers()}`;
    renderSignIn(state);
  } else if (isWaiting) state.textContent = `◆ Not saved yet. ${keptAnswers()}Trying again.`;
  else if (queue.sending) state.textContent = "Saving…";
  else state.textContent = answered ? "✓ All saved" : "";
  renderProgress();
  find("depth-part").hidden = queue.waiting === null;
  // The hub counts to a thousand.
  find("depth").textContent = queue.free >= 1000 ? "over 1,000" : (queue.waiting ?? "");
}

function renderProgress() {
  const { goal } = keys;
  find("answered").textContent = answered;
  find("goal-part").textContent = goal ? ` of ${goal}` : "";
  find("goal-met").hidden = !goal || answered < goal;
  const meter = find("goal-meter");
  meter.hidden = !goal;
  if (goal) [meter.max, meter.value] = [goal, Math.min(answered, goal)];
}

function renderLease() {
  const lease = find("lease");
  const until = queue.current?.expires_at; // An item taken back after its answer has none.
  const left = until ? Math.ceil((Date.parse(until) - Date.now()) / 1000) : 99;
  lease.hidden = !(left <= 60); // Without a lease there is no time to tell.
  if (left <= 0) lease.textContent = "Your reservation has run out; your answer still counts as an opinion";
  else lease.textContent = `Reserved for you ${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")} more`;
}

function toast(text, { offersUndo = false } = {}) {
  const box = document.createElement("div");
  box.className = "toast";
  box.append(text);
  if (offersUndo) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", textContent: "Undo" });
    button.dataset.act = "undo";
    box.append(button);
  }
  find("toasts").replaceChildren(box);
  setTimeout(() => box.remove(), 5000);
}

function showRefused({ op, error }) {
  const box = document.createElement("div");
  box.className = "notice notice--error";
  box.setAttribute("role", "alert");
  const words = document.createElement("p");
  const what = op.type === "undo" ? "The undo was not possible." : `Your answer “${op.value || op.reason}” was not taken.`;
  words.textContent = `${what} ${error.message}`;
  box.append(words);
  if (op.item && op.type !== "undo") {
    const text = document.createElement("p");
    text.className = "small";
    text.textContent = [op.item.text, op.note && `Your note: ${op.note}`].filter(Boolean).join(" — ");
    box.append(text);
  }
  const dismiss = document.createElement("button");
  Object.assign(dismiss, { type: "button", className: "button button--quiet button--small", textContent: "Dismiss" });
  dismiss.addEventListener("click", () => box.remove());
  box.append(dismiss);
  find("refused").append(box);
}

// --- Doing ---

const chosen = () => radios.find((radio) => radio.checked)?.value ?? "";
const seconds = () => Math.round((performance.now() - shownAt) / 100) / 10;

function submit() {
  if (!queue.current) return;
  if (!chosen()) {
    toast("Choose a label first, or skip.");
    return;
  }
  answer({ kind: "label", value: chosen() });
}

function skip(reason) {
  find("skip-menu").close();
  if (queue.current) answer({ kind: "skip", reason });
}

function answer(said) {
  const op = queue.answer({ ...said, note: note.value.trim(), seconds: seconds() });
  showReveal(op);
  toast(`${op.value ? `Answered “${op.value}”` : `Skipped, ${op.reason}`}.`, { offersUndo: true });
  // A radio that keeps the focus would swallow the arrow keys on the next sample.
  document.activeElement?.blur();
}

function undo() {
  clearReveal();
  find("toasts").replaceChildren();
  queue.undo();
}

function choose(radio) {
  radio.checked = true;
  keepDraft();
  if (fast.checked) submit();
}

function keepDraft() {
  if (shown) queue.keepDraft(shown.id, { value: chosen(), note: note.value });
}

function showNote(isOpen) {
  find("note-field").hidden = !isOpen;
  root.querySelector("[data-act=note]").setAttribute("aria-expanded", String(isOpen));
}

function writeNote() {
  showNote(true);
  note.focus();
}

function toggle(dialog) {
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

const ACTS = {
  skip: () => queue.current && find("skip-menu").showModal(),
  unclear: () => skip("unclear"),
  spam: () => skip("spam"),
  note: () => queue.current && writeNote(),
  undo,
  submit,
  previous: () => queue.move(-1),
  next: () => queue.move(1),
  guidelines: () => toggle(find("guidelines")),
  keys: () => toggle(find("keys")),
  settings: () => (find("keys").close(), keys.open()),
  again: () => queue.retry(),
};

// --- Guidelines ---

const readUpTo = `hub.review.${root.dataset.scope}.guideline`;

// A version that came after this page was opened is fetched, so that one can read what one follows.
async function followGuideline(number) {
  if (number <= Number(root.dataset.guideline)) return;
  root.dataset.guideline = number;
  try {
    const { number: newest, html } = await queue.ask("guideline", {});
    root.dataset.guideline = newest;
    find("guideline-number").textContent = `v${newest}`;
    // Rendered by the hub, which lets no tag through that it did not write itself.
    find("guideline-prose").innerHTML = html;
  } catch {
    root.dataset.guideline = number - 1; // Asked again with the next sample.
    return;
  }
  tellOfGuideline();
}

function tellOfGuideline() {
  const known = Number(localStorage.getItem(readUpTo)) || Number(root.dataset.followed);
  const isNew = known > 0 && Number(root.dataset.guideline) > known;
  find("new-guideline").hidden = !isNew;
  find("new-guideline-number").textContent = root.dataset.guideline;
  if (!isNew) noteAsRead();
}

function noteAsRead() {
  localStorage.setItem(readUpTo, root.dataset.guideline);
  find("new-guideline").hidden = true;
}

// --- Settings ---

async function keepSettings(said) {
  const kept = await queue.ask("preferences", said);
  toast("Your keys and your goal are kept.");
  queueMicrotask(renderProgress);
  return kept;
}

// --- Keys ---

function isTyping(event) {
  const tag = event.target.closest?.("textarea, select, [contenteditable], input:not([type=radio], [type=checkbox])");
  return Boolean(tag) || event.isComposing || event.keyCode === 229;
}

function onKey(event) {
  if (event.target === note && !event.isComposing) return onNoteKey(event);
  if (isTyping(event) || event.defaultPrevented) return;
  const isUndo = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "z";
  if (isUndo) return run(event, undo);
  // A key held down must not answer the next sample too.
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  const dialog = document.querySelector("dialog[open]");
  if (dialog) return onDialogKey(event, dialog);
  // What has the focus keeps the keys that are its own everywhere.
  if (event.key === "Enter" && event.target.closest?.("button, a, summary")) return;
  if (event.key.startsWith("Arrow") && event.target.matches?.("input[type=radio]")) return;
  const action = keys.actionOf(event);
  if (action?.startsWith("label_")) return onLabelKey(event, action.slice("label_".length));
  if (action) run(event, ACTS[action]);
}

function run(event, act) {
  event.preventDefault();
  act();
}

function onLabelKey(event, number) {
  const radio = queue.current && radios.find((each) => each.dataset.key === number);
  if (radio) run(event, () => choose(radio));
}

function onDialogKey(event, dialog) {
  if (dialog.id === "settings") return keys.onKey(event);
  if (dialog.id === "skip-menu") {
    const reason = dialog.querySelector(`[data-key="${CSS.escape(keyOf(event))}"]`);
    if (reason) run(event, () => skip(reason.dataset.skip));
  } else if (keys.actionOf(event) === dialog.id) run(event, () => dialog.close());
}

function onNoteKey(event) {
  if (event.key === "Escape") run(event, () => (note.blur(), showNote(Boolean(note.value))));
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.repeat) run(event, submit);
}

// --- Wiring ---

queue.addEventListener("change", ({ detail }) => {
  if (detail.what === "state") renderState();
  else if (detail.what === "lease") renderLease();
  else render();
});
queue.addEventListener("saved", ({ detail: { op, answer } }) => {
  answered += 1;
  // The strip shows the last answer, and the hub's words for it may come after the next one.
  if (queue.history.at(-1) === op) showReveal(op, answer, root.dataset.words);
});
queue.addEventListener("undone", () => {
  answered = Math.max(0, answered - 1);
});
queue.addEventListener("refused", ({ detail }) => showRefused(detail));

document.addEventListener("keydown", onKey);
find("guidelines").addEventListener("close", noteAsRead);
form.addEventListener("submit", (event) => run(event, submit));
note.addEventListener("input", keepDraft);
for (const radio of radios) {
  // A click chooses; only a pointer in fast mode also submits (arrow keys in the group must not).
  radio.addEventListener("change", keepDraft);
  radio.addEventListener("click", (event) => event.detail > 0 && choose(radio));
}
document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("[data-act], [data-skip]");
  if (button?.dataset.skip) skip(button.dataset.skip);
  else if (button) ACTS[button.dataset.act]();
});

// One key a label unless someone chose otherwise: an answer can be taken back.
fast.checked = localStorage.getItem("hub.review.fast") !== "0";
fast.addEventListener("change", () => localStorage.setItem("hub.review.fast", fast.checked ? "1" : "0"));

setInterval(renderLease, 1000);
setInterval(() => document.visibilityState === "visible" && queue.heartbeat(), HEARTBEAT_MS);
addEventListener("online", () => queue.retry());
addEventListener("pagehide", () => queue.release());
addEventListener("pageshow", (event) => event.persisted && queue.refill());
addEventListener("beforeunload", (event) => {
  // Only while the hub is out of reach: else what is on its way arrives without this page.
  if (queue.sending && queue.failures) event.preventDefault();
});

tellOfGuideline();
queue.start();
