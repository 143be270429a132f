// The small diagram of what learns, alive: it shows the chosen larva at this moment.

const FIRING_S = 0.4; // A Kenyon cell lights up for so long after a spike.

/** Draw a dot for each Kenyon cell; once for a run. */
function buildDiagram(room) {
  const group = kenyonCells();
  const count = group?.count ?? 72;
  const columns = 6;
  const rows = Math.ceil(count / columns);
  room.replaceChildren(...Array.from({ length: count }, (_, cell) => {
    const row = Math.floor(cell / columns);
    const cx = 113 + 14 * (cell % columns) + (row % 2 ? 4 : 0);
    return drawn("circle", { cx, cy: 64 + (272 / Math.max(1, rows - 1)) * row, r: 5.2 });
  }));
  byId("diagram-larva").replaceChildren(...larvaParts(86));
  byId("table-larva").replaceChildren(...larvaParts(70));
}

/** A part of the diagram. */
function drawn(kind, attributes, name = "") {
  const part = document.createElementNS("http://www.w3.org/2000/svg", kind);
  for (const [key, value] of Object.entries(attributes)) part.setAttribute(key, String(value));
  if (name) part.setAttribute("class", name);
  return part;
}

/** A larva of some length about its middle, as on the dish. */
function larvaParts(length) {
  const at_ = (share) => (share * length).toFixed(1);
  const half = (sign) => `C ${at_(0.45)} ${at_(0.07 * sign)} ${at_(0.34)} ${at_(0.125 * sign)} ${at_(0.12)} ${at_(0.145 * sign)}`
    + ` C ${at_(-0.16)} ${at_(0.165 * sign)} ${at_(-0.46)} ${at_(0.15 * sign)} ${at_(-0.5)} 0`;
  const body = drawn("path", { d: `M ${at_(0.5)} 0 ${half(-1)} L ${at_(-0.5)} 0 M ${at_(0.5)} 0 ${half(1)} Z` }, "larva-body-shape");
  const lines = [0.3, 0.14, -0.02, -0.18, -0.34].map((place) => drawn("path", {
    d: `M ${at_(place)} ${at_(-0.1)} q ${at_(-0.035)} ${at_(0.1)} 0 ${at_(0.2)}`,
  }, "larva-segment"));
  return [body, ...lines, drawn("circle", { cx: at_(0.44), cy: 0, r: at_(0.035) }, "larva-mouth")];
}

function kenyonCells() {
  return (story.begun?.cells ?? []).find(({ name }) => name === "KC") ?? null;
}

/** Light up what fires, widen what carries more. */
function showDiagram(larva, stimulus) {
  const rateOf = ratesOf(larva);
  showFiring(larva);
  pulse("mbonp", rateOf("MBONp"), 13, 60);
  pulse("mbonn", rateOf("MBONn"), 13, 60);
  pulse("danp", rateOf("DANp"), 9, 30);
  pulse("dann", rateOf("DANn"), 9, 30);
  byId("dan-p-arrow").style.opacity = strengthOf(rateOf("DANp"));
  byId("dan-n-arrow").style.opacity = strengthOf(rateOf("DANn"));
  showSynapses(larva);
  const value = liking(larva, stimulus, player.now_s);
  byId("diagram-larva").style.setProperty("--larva", colourOf(value));
  byId("diagram").style.setProperty("--odor", stimulusColour(stimulus));
}

function strengthOf(rate_hz) {
  return rate_hz === null ? 0.8 : String(0.22 + 0.78 * Math.min(1, rate_hz / 12));
}

/** A neuron is drawn the larger the faster it fires. */
function pulse(id, rate_hz, least, fast_hz) {
  byId(id).setAttribute("r", String(rate_hz === null ? least + 4 : least + 9 * Math.min(1, rate_hz / fast_hz)));
}

function showFiring(larva) {
  const group = kenyonCells();
  if (!group) return;
  const fired = firedLately(larva);
  [...byId("diagram-kc").children].forEach((dot, cell) => dot.classList.toggle("firing", fired.has(group.first + cell)));
}

/** Kenyon cells that fired just now. */
function firedLately(larva) {
  const told = cellsTold(larva);
  const place = placeAt(told, player.now_s);
  const fired = new Set();
  for (const message of told.slice(Math.max(0, place), place + 2)) {
    const isNear = (ms) => Math.abs(player.now_s - FIRING_S / 2 - message.from_s - ms / 1000) <= FIRING_S / 2;
    message.spikes.forEach(([cell, ...times_ms]) => times_ms.some(isNear) && fired.add(cell));
  }
  return fired;
}

/** How strongly the Kenyon cells that fire drive each side. */
function showSynapses(larva) {
  const told = at(cellsTold(larva), player.now_s);
  const widths = told ? widthsOf(told) : [8, 8];
  ["synapses-p", "synapses-n"].forEach((id, side) => byId(id).style.setProperty("stroke-width", String(widths[side])));
}

function widthsOf(told) {
  const first = kenyonCells()?.first ?? 0;
  const active = told.spikes.map(([cell]) => cell - first);
  const means = ["w_kc_mbonp_nS", "w_kc_mbonn_nS"].map((key) => {
    const its = active.map((cell) => told[key]?.[cell]).filter((weight) => weight !== undefined);
    return meanOf(its.length ? its : (told[key] ?? []), (its.length ? its : (told[key] ?? [])).map((_, i) => i)) ?? 0;
  });
  const most = Math.max(...means, 1e-9);
  return means.map((mean) => 2 + 11 * (mean / most));
}
