// Where messages come from: a run that goes on, or the page itself, if a whole run is within it.

/** Hear one message, and see to what holds for a whole run. */
function hear(message) {
  if (!tell(message)) return;
  if (message.kind === "begun") begin();
  if (message.kind === "joined") joined(message.larvae);
  if (message.kind === "ended") showEnd();
  invalidate();
}

function joined(names) {
  byId("larva").append(...optionsOf(names, larvae().length - names.length));
  if (larvae().length === names.length) choose(larvaInAddress() ?? 0);
  setText("facts", factsOf(story.begun).join(" · "));
}

function showEnd() {
  byId("learned-card").hidden = !story.ended.learned;
  setText("learned-words", "What each larva has learned of each odor, asked when the run had ended: a dot for each, a bar for their mean.");
}

function listenLive() {
  const events = new EventSource("events");
  events.onmessage = (event) => hear(JSON.parse(event.data));
  events.onopen = () => setStatus("live", story.begun ? "live" : "waiting for the run to begin");
  events.onerror = () => (story.ended ? events.close() : setStatus("lost", "the run cannot be reached"));
  document.addEventListener("visibilitychange", invalidate);
}

function setStatus(state, text) {
  if (story.ended) return;
  byId("status").dataset.state = state;
  setText("status", text);
}

/** Read the messages that a saved page has within it. */
async function hearSaved(text) {
  const bytes = Uint8Array.from(atob(text.trim()), (letter) => letter.charCodeAt(0));
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  player.live = false;
  for (const message of await new Response(unpacked).json()) hear(message);
  playRecorded();
  fillSpeeds();
  invalidate();
}
