// Which key does what on the review page: read from the keyboard, printed on the buttons, and chosen
// anew in the settings. What is chosen is kept by the hub, so that it is there on every machine.

const ARROWS = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" };
const NAMED = new Set(["Enter", ...Object.keys(ARROWS)]);

export function nameOf(key) {
  return ARROWS[key] ?? (key.length === 1 ? key.toUpperCase() : key);
}

export function keyOf(event) {
  // Digits by their place on the keyboard: on AZERTY the digit row types other characters.
  const digit = event.shiftKey ? null : event.code.match(/^(?:Digit|Numpad)(\d)$/)?.[1];
  if (digit) return digit;
  return event.key.length === 1 ? event.key.toLowerCase() : event.key;
}

export class Keys {
  constructor({ root, dialog, save }) {
    this.root = root;
    this.dialog = dialog;
    this.form = dialog.querySelector("form");
    this.said = dialog.querySelector("[data-said]");
    this.rows = [...dialog.querySelectorAll("[data-choose]")];
    this.usual = JSON.parse(root.dataset.usualKeys);
    this.goal = Number(root.dataset.goal) || null;
    this.save = save;
    this.use(JSON.parse(root.dataset.keys));
    this.form.addEventListener("submit", (event) => this.#submit(event));
    dialog.addEventListener("click", ({ target }) => this.#onClick(target));
    // Escape ends the choosing of one key first, and only then the dialog.
    dialog.addEventListener("cancel", (event) => this.choosing && (event.preventDefault(), this.#choose(null)));
    dialog.addEventListener("close", () => this.#choose(null));
  }

  use(keys) {
    this.keys = keys;
    this.actions = new Map(Object.entries(keys).map(([action, key]) => [key, action]));
    for (const place of document.querySelectorAll("[data-key-of]")) {
      const key = keys[place.dataset.keyOf];
      place.textContent = nameOf(key);
      place.closest("label")?.querySelector("input")?.setAttribute("aria-keyshortcuts", key);
    }
  }

  actionOf(event) {
    return this.actions.get(keyOf(event)) ?? null;
  }

  open() {
    this.draft = { ...this.keys };
    this.form.elements.goal.value = this.goal ?? "";
    this.#show();
    this.dialog.showModal();
  }

  // A key while the settings are open: the one being chosen, or none of ours.
  onKey(event) {
    if (!this.choosing || event.key === "Escape") return;
    if (event.key === "Tab") return this.#choose(null);
    event.preventDefault();
    const key = keyOf(event);
    if (event.ctrlKey || event.metaKey || event.altKey || event.key === "Shift") return;
    if (!NAMED.has(key) && (key.length !== 1 || key === " ")) {
      this.#say(`${event.key === " " ? "The space bar" : event.key} cannot be a key here: take a character, Enter or an arrow.`);
      return;
    }
    this.draft[this.choosing.dataset.choose] = key;
    this.#choose(null);
    this.#show();
  }

  #onClick(target) {
    const row = target.closest?.("[data-choose]");
    if (row) this.#choose(row === this.choosing ? null : row);
    if (target.closest?.("[data-usual]")) {
      this.draft = { ...this.usual };
      this.#choose(null);
      this.#show();
    }
  }

  #choose(row) {
    if (this.choosing) this.#print(this.choosing);
    this.choosing = row;
    if (!row) return;
    row.textContent = "Press a key…";
    this.#say("Press the key you want; Esc keeps the old one.");
  }

  #print(row) {
    const kbd = document.createElement("kbd");
    kbd.textContent = nameOf(this.draft[row.dataset.choose]);
    row.replaceChildren(kbd);
  }

  #show() {
    const owners = Map.groupBy(this.rows, (row) => this.draft[row.dataset.choose]);
    const clash = [...owners].find(([, rows]) => rows.length > 1);
    for (const row of this.rows) {
      this.#print(row);
      row.setAttribute("aria-invalid", String(owners.get(this.draft[row.dataset.choose]).length > 1));
    }
    const titles = clash?.[1].map((row) => `“${row.dataset.title}”`).join(" and ");
    this.#say(clash ? `${nameOf(clash[0])} would do two things: ${titles}. Choose another for one of them.` : "", Boolean(clash));
  }

  #say(text, isWrong = false) {
    this.said.textContent = text;
    this.said.classList.toggle("field__error", isWrong);
  }

  async #submit(event) {
    event.preventDefault();
    this.#choose(null);
    const keys = Object.fromEntries(Object.entries(this.draft).filter(([action, key]) => key !== this.usual[action]));
    const goal = Number(this.form.elements.goal.value) || null;
    try {
      const kept = await this.save({ keys, daily_goal: goal });
      this.goal = kept.daily_goal;
      this.use(kept.keys);
      this.dialog.close();
    } catch (error) {
      this.#say(`Not saved. ${error.message}`, true);
    }
  }
}
