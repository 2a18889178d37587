// What the annotator holds: reserved samples, and answers on their way to the hub.
//
// An answer is written to localStorage under its submission key before it is sent and removed when the
// hub has it, so that a lost network, a closed tab or a crash loses nothing; sending one twice counts
// once. Answers travel up to four at a time; an undo waits for all before it, and all after it wait.

const AHEAD = 5;
const IN_FLIGHT = 4;
const RETRY_MS = [1000, 2000, 4000, 8000, 15000, 30000];
const TIMEOUT_MS = 20000;

export class Refused extends Error {
  constructor(status, detail) {
    super(detail ?? `The hub answered ${status}.`);
    this.status = status;
    // A 403 without words is Django's own: the token of a session that has ended.
    this.isSignedOut = status === 401 || (status === 403 && !detail);
    this.isPassing = status >= 500 || status === 429 || status === 408;
  }
}

export class ReviewQueue extends EventTarget {
  constructor({ api, scope, csrf }) {
    super();
    this.api = api;
    this.prefix = `hub.review.${scope}.`;
    this.csrf = csrf;
    this.items = [];
    this.position = 0;
    this.pending = [];
    this.history = [];
    this.gone = new Set(); // Answered here: a claim that was already under way may still name them.
    this.claim = { state: "loading", empty: null, error: "" };
    this.free = null; // Items nobody holds, as of the last claim.
    this.guideline = 0; // The newest version a claim has told of.
    this.failures = 0;
    this.claimFailures = 0;
    this.signedOut = false;
  }

  start() {
    this.pending = this.#stored("op.").sort((a, b) => a.at - b.at);
    for (const op of this.pending) this.gone.add(op.item.id);
    this.#send();
    this.refill();
  }

  get current() {
    return this.items[this.position] ?? null;
  }

  get waiting() {
    return this.free === null ? null : this.free + this.items.length;
  }

  get sending() {
    return this.pending.filter((op) => op.type !== "undo").length;
  }

  move(step) {
    const next = this.position + step;
    if (next < 0 || next >= this.items.length) return;
    this.position = next;
    this.#changed();
  }

  draft(id) {
    return this.#read(`${this.prefix}draft.${id}`) ?? {};
  }

  keepDraft(id, draft) {
    if (draft.value || draft.note) this.#write(`${this.prefix}draft.${id}`, draft);
    else localStorage.removeItem(`${this.prefix}draft.${id}`);
  }

  answer({ kind, value = "", reason = "", note = "", seconds }) {
    const item = this.current;
    const op = {
      type: kind, item, value, reason, note, seconds_spent: seconds,
      submission_key: crypto.randomUUID(), at: Date.now(), restored: item.restored ?? false,
    };
    this.#write(`${this.prefix}op.${op.submission_key}`, op);
    this.pending.push(op);
    this.history.push(op);
    this.gone.add(item.id);
    this.keepDraft(item.id, {});
    this.items.splice(this.position, 1);
    this.position = Math.min(this.position, Math.max(0, this.items.length - 1));
    this.#changed();
    this.#send();
    this.refill();
    return op;
  }

  // Something else the page wants of the hub; the annotator waits for it.
  ask(address, body) {
    return this.#post(address, body);
  }

  undo() {
    const last = this.history.pop();
    const waiting = last && this.pending.indexOf(last);
    if (last && waiting >= 0 && !last.isUnderWay && !last.isTried) {
      this.pending.splice(waiting, 1);
      this.#forget(last);
      this.#restore(last);
    } else {
      if (last) this.#restore(last, { unblinded: last.type === "label" });
      this.pending.push({ type: "undo", item: last?.item ?? null, submission_key: last?.submission_key });
      this.#send();
    }
    this.#changed();
  }

  async refill() {
    if (this.isClaiming || this.signedOut || this.items.length >= AHEAD) return;
    this.isClaiming = true;
    clearTimeout(this.claimTimer);
    const answered = this.gone.size;
    try {
      const answer = await this.#post("claim", { count: AHEAD + this.sending });
      this.claimFailures = 0;
      this.#take(answer);
    } catch (error) {
      this.#claimFailed(error);
    } finally {
      this.isClaiming = false;
    }
    this.#changed();
    // Answers given while this claim was under way were not part of its count.
    if (this.claim.state === "ready" && this.gone.size > answered && this.items.length < AHEAD) this.refill();
  }

  async heartbeat() {
    const held = this.items.map((item) => item.id);
    if (!held.length || this.signedOut) return;
    try {
      const { items } = await this.#post("heartbeat", { items: held });
      for (const { id, expires_at } of items ?? []) this.#extend(id, expires_at);
      this.#changed("lease");
    } catch {
      // The countdown goes on; the next beat, or the answer itself, will tell.
    }
  }

  release() {
    const held = this.items.map((item) => item.id);
    if (!held.length) return;
    fetch(`${this.api}release`, this.#request({ items: held })).catch(() => {});
    this.items = [];
    this.position = 0;
  }

  retry() {
    this.signedOut = false;
    this.failures = this.claimFailures = 0;
    this.#send();
    this.refill();
  }

  #take(answer) {
    const known = new Set(this.items.map((item) => item.id));
    for (const item of answer.items) {
      if (known.has(item.id)) this.#extend(item.id, item.expires_at);
      else if (!this.gone.has(item.id)) this.items.push(item);
    }
    this.free = answer.depth;
    this.guideline = Math.max(this.guideline, ...answer.items.map((item) => item.guideline));
    if (this.items.length) this.claim = { state: "ready", empty: null, error: "" };
    else if (answer.items.length) {
      // All of it is answered here and still on its way: what comes after is known when it arrives.
      this.claim = { state: "loading", empty: null, error: "" };
      this.claimTimer = setTimeout(() => this.refill(), 300);
    } else {
      this.claim = { state: "empty", empty: answer.empty, error: "" };
      this.claimTimer = setTimeout(() => this.refill(), 10000);
    }
  }

  #claimFailed(error) {
    if (error instanceof Refused && !error.isPassing) {
      this.signedOut = error.isSignedOut;
      this.claim = { state: "refused", empty: null, error: error.message };
      return;
    }
    this.claim = { ...this.claim, state: this.items.length ? "ready" : "trouble", error: error.message };
    this.claimTimer = setTimeout(() => this.refill(), pause(this.claimFailures++));
  }

  #send() {
    clearTimeout(this.timer);
    if (this.signedOut) return;
    let underWay = this.pending.filter((op) => op.isUnderWay).length;
    for (const op of this.pending) {
      if (underWay >= IN_FLIGHT) break;
      if (op.type === "undo" && underWay) break;
      if (!op.isUnderWay) {
        this.#deliver(op);
        underWay += 1;
      }
      if (op.type === "undo") break;
    }
    this.#changed("state");
  }

  async #deliver(op) {
    op.isUnderWay = op.isTried = true;
    try {
      const answer = await this.#post(...this.#address(op));
      this.failures = 0;
      this.#done(op);
      if (op.type === "undo") this.#undone(op, answer);
      else this.dispatchEvent(new CustomEvent("saved", { detail: { op, answer } }));
    } catch (error) {
      op.isUnderWay = false;
      if (this.#isFinal(error)) this.#refused(op, error);
      else {
        this.timer = setTimeout(() => this.#send(), pause(this.failures++));
        this.#changed("state");
        return;
      }
    }
    this.#send();
    this.#changed();
  }

  #isFinal(error) {
    if (!(error instanceof Refused) || error.isPassing) return false;
    this.signedOut ||= error.isSignedOut;
    return !error.isSignedOut;
  }

  #address(op) {
    const { submission_key, seconds_spent, note } = op;
    if (op.type === "undo") return ["undo", submission_key ? { submission_key } : {}];
    if (op.type === "skip") {
      return [`${op.item.id}/skip`, { reason: op.reason, note, submission_key, seconds_spent }];
    }
    return [`${op.item.id}/submit`, { value: op.value, note, submission_key, seconds_spent }];
  }

  #undone(op, { item, value = "", note = "", is_blind: isBlind }) {
    if (item) {
      const unblinded = !isBlind;
      const held = this.items.find((each) => each.id === item.id);
      if (held) Object.assign(held, item, { unblinded });
      // Unless it was answered anew meanwhile, what the hub took back is shown again.
      else if (!this.pending.some((each) => each.item?.id === item.id)) {
        this.#restore({ item, value, note }, { unblinded });
      }
    }
    this.dispatchEvent(new CustomEvent("undone", { detail: { op } }));
  }

  #refused(op, error) {
    this.#done(op);
    if (op.type === "undo" && op.item) {
      this.items = this.items.filter((item) => item.id !== op.item.id);
      this.gone.add(op.item.id);
      this.position = Math.min(this.position, Math.max(0, this.items.length - 1));
    }
    this.dispatchEvent(new CustomEvent("refused", { detail: { op, error } }));
  }

  #restore(op, { unblinded = false } = {}) {
    this.gone.delete(op.item.id);
    this.keepDraft(op.item.id, { value: op.value, note: op.note });
    this.items.splice(this.position, 0, { ...op.item, restored: true, unblinded: unblinded || op.item.unblinded });
    this.claim = { state: "ready", empty: null, error: "" };
  }

  #done(op) {
    const at = this.pending.indexOf(op);
    if (at >= 0) this.pending.splice(at, 1);
    this.#forget(op);
  }

  #forget(op) {
    if (op.type !== "undo") localStorage.removeItem(`${this.prefix}op.${op.submission_key}`);
  }

  #extend(id, expires_at) {
    const item = this.items.find((each) => each.id === id);
    if (item) item.expires_at = expires_at;
  }

  #changed(what = "items") {
    this.dispatchEvent(new CustomEvent("change", { detail: { what } }));
  }

  #request(body) {
    return {
      method: "POST",
      credentials: "same-origin",
      keepalive: true, // Like sendBeacon it outlives the page; unlike it, it can carry the header.
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": this.csrf() },
      body: JSON.stringify(body),
    };
  }

  async #post(address, body) {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(`${this.api}${address}`, { ...this.#request(body), signal });
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw new Refused(response.status, answer.detail);
    return answer;
  }

  #stored(kind) {
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(this.prefix + kind));
    return keys.map((key) => this.#read(key)).filter(Boolean);
  }

  #read(key) {
    try {
      return JSON.parse(localStorage.getItem(key));
    } catch {
      return null;
    }
  }

  #write(key, value) {
    try {
      localStorage.setItem(key, JSON.stringify(value));
    } catch {
      // Storage is full or forbidden: the answer still travels, it only would not survive a crash.
    }
  }
}

function pause(failures) {
  return RETRY_MS[Math.min(failures, RETRY_MS.length - 1)];
}
