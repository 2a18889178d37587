// What was hidden until the answer, and is shown after it. The words that moved the model are asked
// for when everything else stands: the next sample never waits for them.

const find = (id) => document.getElementById(id);
const WAITS_MS = 250;
let shownKey = "";

export function showReveal(op, { reveal, status } = {}, wordsUrl) {
  const { item, type, value, reason } = op;
  const facts = [["You said", type === "skip" ? `skip, ${reason}` : value]];
  if (reveal) facts.push(...factsOf(reveal));
  find("reveal-text").textContent = `“${item.text}”`;
  find("reveal-facts").replaceChildren(...facts.map(([name, text]) => fact(name, text)));
  find("reveal-kept").textContent = keptAs(status, Boolean(item.shown));
  showPrecedents(reveal?.precedents ?? []);
  find("reveal-words").hidden = true;
  find("reveal-none").hidden = true;
  shownKey = op.submission_key;
  if (wordsUrl && reveal?.prediction) askWords(op, wordsUrl.replace("/0/", `/${item.id}/`));
}

export function clearReveal() {
  shownKey = "";
  for (const id of ["reveal-text", "reveal-kept"]) find(id).textContent = "";
  find("reveal-facts").replaceChildren();
  find("reveal-words").hidden = find("reveal-precedents").hidden = true;
  find("reveal-none").hidden = false;
}

export function withConfidence({ label, confidence, model_version }) {
  const sure = confidence == null ? "" : `, ${Math.round(confidence * 100)} % sure`;
  return `${label}${sure}${model_version ? ` (${model_version})` : ""}`;
}

function factsOf({ prediction, votes, peers, why, ranked }) {
  const facts = [];
  if (prediction) facts.push(["Model said", withConfidence(prediction)]);
  if (votes && (votes.up || votes.down)) facts.push(["Users", `${votes.up ?? 0} up, ${votes.down ?? 0} down`]);
  if (peers?.length) facts.push(["Others said", peers.map((peer) => `${peer.value} (${peer.annotator})`).join(", ")]);
  if (why) facts.push(["Why it was here", why]);
  if (ranked) facts.push(["Its queue", ranked]);
  return facts;
}

function keptAs(status, wasShown) {
  if (status === "extra") return "Your reservation had run out and enough others had answered: kept as one more opinion.";
  if (status !== "unblinded") return "";
  if (wasShown) return "The model's answer was shown to you first: kept apart from audit and gold, and someone else answers it blind.";
  return "You had seen the model's answer before: kept as a second thought, apart from audit and gold, and someone else answers it blind.";
}

function showPrecedents(precedents) {
  find("reveal-precedents").hidden = !precedents.length;
  find("precedent-list").replaceChildren(
    ...precedents.map(({ value, text }) => {
      const entry = document.createElement("li");
      const [label, words] = [document.createElement("strong"), document.createElement("span")];
      label.textContent = value;
      words.textContent = text;
      entry.append(label, " ", words);
      return entry;
    }),
  );
}

function askWords({ submission_key }, url) {
  // Whoever answers on is not waiting for it: asked only when the strip stays for a moment.
  setTimeout(async () => {
    if (shownKey !== submission_key) return;
    try {
      const response = await fetch(url, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(10_000) });
      const said = response.ok ? await response.json() : null;
      if (said?.words.length && shownKey === submission_key) showWords(said);
    } catch {
      // It is an extra: without it the strip is complete.
    }
  }, WAITS_MS);
}

function showWords({ label, words }) {
  const most = Math.max(...words.map(({ weight }) => Math.abs(weight)));
  find("reveal-words").hidden = false;
  find("words-label").textContent = label;
  find("word-list").replaceChildren(
    ...words.map(({ word, weight }) => {
      const entry = document.createElement("li");
      const isFor = weight >= 0;
      entry.className = `word ${isFor ? "word--for" : "word--against"}${Math.abs(weight) > most / 2 ? " word--strong" : ""}`;
      entry.append(`${isFor ? "+" : "−"} ${word}`);
      const read = document.createElement("span");
      read.className = "visually-hidden";
      read.textContent = isFor ? " for it" : " against it";
      entry.append(read);
      return entry;
    }),
  );
}

function fact(name, text) {
  const pair = document.createElement("div");
  const [term, value] = [document.createElement("dt"), document.createElement("dd")];
  term.textContent = `${name}:`;
  value.textContent = text;
  pair.append(term, " ", value);
  return pair;
}
