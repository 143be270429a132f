// The page itself: what is drawn, and when.

const SLOW_MS = 110; // The dish is drawn at every picture; all else at most so often.

const chosen = { larva: 0, stimulus: null };
let scheduled = false;
let drawnSlowly = -Infinity;

/** Ask for a new picture. */
function invalidate() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(draw);
}

function draw(stamp) {
  scheduled = false;
  advance(stamp);
  if (story.begun) {
    drawPlace();
    if (stamp - drawnSlowly > SLOW_MS || !moving()) drawSlowly(stamp);
  }
  if (moving()) invalidate();
  else player.stamp = null;
}

function drawPlace() {
  const canvas = byId("place");
  if (hasArena()) drawArena(canvas, chosen.stimulus, chosen.larva);
  else drawField(canvas, chosen.stimulus, chosen.larva);
}

function drawSlowly(stamp) {
  drawnSlowly = stamp;
  drawCurves(byId("curves"), chosen.larva);
  drawTimeline(byId("timeline"), chosen.larva);
  showLarva();
  setText("place-count", countInWords());
  showClock();
  if (story.ended?.learned && !byId("learned-card").hidden) drawLearned(byId("learned"));
}

function hasTable() {
  return !story.begun.cells && story.tables.size > 0;
}

function showLarva() {
  const table = hasTable();
  byId("larva-cells").hidden = table;
  byId("larva-table").hidden = !table;
  if (table) showTable(byId("table"), chosen.larva);
  else {
    drawRaster(byId("raster"), chosen.larva);
    showRates(byId("rates"), chosen.larva);
    drawWeights(byId("weights"), chosen.larva);
    showDiagram(chosen.larva, chosen.stimulus);
  }
  setText("larva-words", larvaInWords());
}

function showClock() {
  const scrub = byId("scrub");
  const words = inWords(chosen.larva, player.now_s);
  const moment = clock(player.now_s);
  scrub.min = String(Math.min(0, begins_s()));
  scrub.max = String(horizon_s());
  scrub.value = String(player.now_s);
  scrub.setAttribute("aria-valuetext", `${moment} of ${clock(horizon_s())}${words ? `, ${words}` : ""}`);
  setText("clock", story.begun.duration_s ? `${moment} / ${clock(story.begun.duration_s)}` : moment);
  setText("phase", words);
  showButtons();
  showStatus();
  document.body.dataset.now = player.now_s.toFixed(3);
  document.body.dataset.frames = String(story.frames.length);
}

function showButtons() {
  const play = byId("play");
  setText("play", player.playing ? "❚❚" : "▶");
  play.setAttribute("aria-label", player.playing ? "pause" : "play");
  play.setAttribute("aria-pressed", String(player.playing));
  byId("newest").hidden = !player.live || player.following;
  byId("speed").value = player.following ? "live" : String(player.speed);
}

function showStatus() {
  const status = byId("status");
  if (status.dataset.state === "lost" && !story.ended) return;
  const ended = story.ended;
  status.dataset.state = ended ? "ended" : player.live ? "live" : "recorded";
  setText("status", ended ? (ended.complete === false ? "stopped early" : "the run has ended") : player.live ? "live" : "recorded");
}

/** Change a text only if it differs: screen readers say what changes. */
function setText(id, text) {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
}

/** Fill in all that holds for a whole run. */
function begin() {
  const { begun } = story;
  const stimuli = begun.stimuli ?? [];
  document.querySelectorAll("main, footer").forEach((part) => { part.hidden = false; });
  if (!stimuli.includes(chosen.stimulus)) chosen.stimulus = begun.colour?.stimulus ?? stimuli[0] ?? null;
  setText("title", begun.title ?? "Larvae that learn");
  document.title = `${begun.title ?? "Larvae that learn"} · Kenyon`;
  setText("facts", factsOf(begun).join(" · "));
  fillChoice(byId("colour"), stimuli, stimuli.indexOf(chosen.stimulus));
  byId("colour-choice").hidden = stimuli.length < 2;
  fillLarvae();
  fillCurvesKey(byId("curves-key"));
  buildRates(byId("rates"));
  buildDiagram(byId("diagram-kc"));
  nameWorld(begun);
  offer("copy-seed", begun.run?.seed);
  offer("copy-command", begun.run?.command);
}

function fillLarvae() {
  const from = Math.max(0, Math.min(larvae().length - 1, larvaInAddress() ?? chosen.larva));
  fillChoice(byId("larva"), larvae(), from);
  choose(from);
}

function fillChoice(select, names, place) {
  select.replaceChildren(...optionsOf(names, 0));
  select.value = String(place);
}

function optionsOf(names, from) {
  return names.map((name, place) => new Option(name, String(from + place)));
}

function start() {
  readColours();
  attend();
  fillSpeeds();
  const saved = byId("messages");
  if (saved) hearSaved(saved.textContent);
  else listenLive();
}

start();
