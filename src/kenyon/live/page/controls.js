// What people can do: choose a larva, play, copy, press keys.

function offer(id, text) {
  const button = byId(id);
  button.hidden = text === null || text === undefined || text === "";
  button.dataset.text = text ?? "";
  if (id === "copy-seed") button.textContent = `copy seed ${String(text ?? "").slice(0, 12)}`;
}

async function copy(button) {
  const before = button.textContent;
  button.textContent = (await copied(button.dataset.text)) ? "copied" : "could not copy";
  setTimeout(() => { button.textContent = before; }, 1200);
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // The browser may forbid it, for instance in a file.
  }
}

/** Look into another larva; the run is asked to tell of it. */
function choose(larva) {
  const count = larvae().length;
  if (!count) return;
  chosen.larva = ((larva % count) + count) % count;
  byId("larva").value = String(chosen.larva);
  document.body.dataset.larva = String(chosen.larva);
  byId("place").setAttribute("aria-label", `Where the larvae are; chosen: ${larvae()[chosen.larva]}. Arrow keys choose another.`);
  history.replaceState(null, "", `#larva=${chosen.larva}`);
  if (player.live) askFor(chosen.larva);
  invalidate();
}

function askFor(larva) {
  fetch("larva", { method: "POST", body: String(larva) }).catch(() => {}); // If the run is gone, the status says so.
}

function larvaInAddress() {
  const found = /larva=(\d{1,6})/.exec(location.hash);
  return found ? Number(found[1]) : null;
}

/** The larva nearest to a click, if one is near. */
function clicked(event) {
  const canvas = byId("place");
  const spots = hasArena() ? spotsInArena(canvas) : spotsInField(canvas, chosen.stimulus);
  const away = spots.map((spot) => (spot ? Math.hypot((spot.x - event.offsetX) * (hasArena() ? 1 : 0.25), spot.y - event.offsetY) : Infinity));
  const nearest = away.indexOf(Math.min(...away));
  if (away[nearest] < 40) choose(nearest);
}

const KEYS = {
  " ": toggle,
  Home: () => seek(begins_s()),
  End: toNewest,
  "+": () => faster(1),
  "=": () => faster(1),
  "-": () => faster(-1),
  n: () => choose(chosen.larva + 1),
  p: () => choose(chosen.larva - 1),
};

/** Keys work wherever the focus is, but for fields that have a use for them. */
function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const inField = /^(SELECT|BUTTON)$/.test(event.target.tagName);
  const onPlace = event.target.id === "place";
  const step_s = (horizon_s() - begins_s()) / 60;
  const arrows = onPlace
    ? { ArrowRight: () => choose(chosen.larva + 1), ArrowDown: () => choose(chosen.larva + 1), ArrowLeft: () => choose(chosen.larva - 1), ArrowUp: () => choose(chosen.larva - 1) }
    : { ArrowRight: () => seek(player.now_s + step_s), ArrowLeft: () => seek(player.now_s - step_s) };
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const action = own(KEYS, key) ?? own(arrows, key);
  if (!action || (inField && key !== "n" && key !== "p") || event.target.tagName === "SELECT") return;
  event.preventDefault();
  action();
  invalidate();
}

function chosenSpeed(value) {
  if (value === "live") toNewest();
  else {
    player.speed = Number(value);
    player.following = false;
  }
  invalidate();
}

function fillSpeeds() {
  const options = SPEEDS.map((speed) => [String(speed), `${speed}×`]);
  if (player.live) options.unshift(["live", "as it runs"]);
  byId("speed").replaceChildren(...options.map(([value, text]) => new Option(text, value)));
}

function on(id, kind, action) {
  byId(id).addEventListener(kind, (event) => {
    action(event);
    invalidate();
  });
}

function attend() {
  on("play", "click", toggle);
  on("newest", "click", toNewest);
  on("scrub", "input", (event) => seek(Number(event.target.value)));
  on("speed", "change", (event) => chosenSpeed(event.target.value));
  on("larva", "change", (event) => choose(Number(event.target.value)));
  on("colour", "change", (event) => { chosen.stimulus = story.begun.stimuli[Number(event.target.value)]; });
  on("previous", "click", () => choose(chosen.larva - 1));
  on("next", "click", () => choose(chosen.larva + 1));
  on("place", "click", clicked);
  on("copy-seed", "click", (event) => copy(event.target));
  on("copy-command", "click", (event) => copy(event.target));
  on("keys-button", "click", showKeys);
  document.addEventListener("keydown", pressed);
  new ResizeObserver(invalidate).observe(document.body);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", recolour);
}

function showKeys() {
  const hidden = !byId("keys").hidden;
  byId("keys").hidden = hidden;
  byId("keys-button").setAttribute("aria-expanded", String(!hidden));
}

function recolour() {
  readColours();
  if (story.begun) {
    fillCurvesKey(byId("curves-key"));
    buildRates(byId("rates"));
  }
  invalidate();
}
