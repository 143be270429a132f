// The larva that somebody has chosen: its spikes, how fast its cells fire, its weights; or its table.

const RASTER_S = 4;
const NAMES_WIDTH = 54;
const RIGHT = 16;

/** The color of each group of cells: what speaks for approach, for avoidance, what teaches, what carries the odor. */
function groupColour(name) {
  const its = { MBONp: "approach", MBONn: "avoid", DANp: "dopamine", DANn: "dopamine", KC: "synapse", APL: "reward" };
  return colours[own(its, name) ?? "soft"];
}

function cellsTold(larva) {
  return story.cells.get(larva) ?? [];
}

function drawRaster(canvas, larva) {
  const { pen, width, height } = penOf(canvas);
  const told = cellsTold(larva).filter((message) => message.t_s > player.now_s - RASTER_S && message.from_s < player.now_s);
  const rows = rasterRows(height - 22);
  drawGroups(pen, rows, width);
  if (!told.length) {
    write(pen, whyNoSpikes(larva), (width + NAMES_WIDTH) / 2, height / 2, { align: "center", colour: colours.ink, most: width - NAMES_WIDTH - 20 });
    return;
  }
  const x = (t_s) => NAMES_WIDTH + ((t_s - player.now_s + RASTER_S) / RASTER_S) * (width - NAMES_WIDTH - RIGHT);
  for (const message of told) drawSpikes(pen, rows, message, x);
  drawSecondsAxis(pen, x, height);
}

/** The height of each group: a cell that stands alone gets a row that is easily seen. */
function rasterRows(height) {
  const cells = story.begun?.cells ?? [];
  const parts = cells.map(({ count }) => (count > 1 ? count : 5));
  const unit = (height - 3 * cells.length) / parts.reduce((sum, part) => sum + part, 1);
  let top = 0;
  return cells.map((group, place) => {
    const row = { ...group, top, high: parts[place] * unit };
    top += row.high + 3;
    return row;
  });
}

function drawGroups(pen, rows, width) {
  for (const { name, count, top, high } of rows) {
    pen.fillStyle = colours.line;
    pen.globalAlpha = 0.35;
    pen.fillRect(NAMES_WIDTH, top, width - NAMES_WIDTH - RIGHT, high);
    pen.globalAlpha = 1;
    write(pen, name, NAMES_WIDTH - 7, top + Math.min(high / 2 + 4, count > 1 ? 15 : 20), { align: "right", colour: groupColour(name) });
  }
}

function drawSpikes(pen, rows, message, x) {
  for (const [cell, ...times_ms] of message.spikes) {
    const row = rows.find(({ first, count }) => first <= cell && cell < first + count);
    if (!row) continue;
    const high = row.high / row.count;
    const y = row.top + (cell - row.first) * high;
    pen.fillStyle = groupColour(row.name);
    for (const after_ms of times_ms) {
      const t_s = message.from_s + after_ms / 1000;
      if (t_s > player.now_s) break; // Spikes of a cell are in the order of their times.
      if (t_s > player.now_s - RASTER_S) pen.fillRect(x(t_s), y, 1.2, Math.max(1.1, high * 0.85));
    }
  }
}

function drawSecondsAxis(pen, x, height) {
  for (const t_s of timeTicks(player.now_s - RASTER_S, player.now_s, 5)) {
    if (t_s >= 0) write(pen, clock(t_s), x(t_s), height - 5, { align: "center" });
  }
}

function whyNoSpikes(larva) {
  if (story.begun?.no_cells) return story.begun.no_cells;
  const known = cellsTold(larva).length;
  if (known) return "no spikes were told at this time";
  return player.live && !story.ended ? "its spikes come with the next seconds" : "its spikes were not kept";
}

/** The rates of each group at this moment: told of all larvae, or with the spikes of this one. */
function ratesOf(larva) {
  const frame = at(story.frames, player.now_s);
  const told = frame?.rates ?? {};
  const cells = at(cellsTold(larva), player.now_s)?.rates ?? {};
  return (group) => own(told, group)?.[larva] ?? own(cells, group) ?? null;
}

/** Make a row for each group of cells; once for a run. */
function buildRates(list) {
  list.replaceChildren(...(story.begun?.cells ?? []).map((group) => rateRow(group)));
}

function rateRow(group) {
  const row = document.createElement("li");
  const name = document.createElement("abbr");
  const track = document.createElement("span");
  const number = document.createElement("b");
  name.textContent = group.name;
  name.title = group.long ?? group.name;
  track.className = "track";
  const bar = track.appendChild(document.createElement("i"));
  bar.style.background = groupColour(group.name);
  row.append(name, track, number);
  row.dataset.group = group.name;
  return row;
}

function showRates(list, larva) {
  const rateOf = ratesOf(larva);
  for (const row of list.children) {
    const rate = rateOf(row.dataset.group);
    row.querySelector("i").style.transform = `scaleX(${Math.min(1, Math.sqrt((rate ?? 0) / 120))})`;
    row.querySelector("b").textContent = rate === null ? "–" : rate.toFixed(rate < 10 ? 1 : 0);
  }
}

/** Weights of each Kenyon cell: upward onto approach, downward onto avoidance; pale what they were at first. */
function drawWeights(canvas, larva) {
  const { pen, width, height } = penOf(canvas);
  const told = at(cellsTold(larva), player.now_s) ?? cellsTold(larva)[0];
  const middle = height / 2;
  const rows = [["w_kc_mbonp_nS", -1, "approach"], ["w_kc_mbonn_nS", 1, "avoid"]];
  const most = 1.12 * Math.max(1e-9, ...cellsTold(larva).slice(-60).concat(told ?? []).flatMap((message) => rows.flatMap(([key]) => message[key] ?? [])));
  const first = cellsTold(larva)[0];
  pen.globalAlpha = 0.22;
  if (told) rows.forEach(([key, side, colour]) => drawWeightBars(pen, first[key] ?? [], side, colours[colour], most, width, middle));
  pen.globalAlpha = 1;
  if (told) rows.forEach(([key, side, colour]) => drawWeightBars(pen, told[key] ?? [], side, colours[colour], most, width, middle));
  else write(pen, story.begun?.no_cells ?? "told with its spikes", (width + 34) / 2, middle - 10, { align: "center", colour: colours.ink, most: width - 50 });
  line(pen, 34, middle, width - 4, middle, colours.soft, 1.2);
  write(pen, "onto approach, MBONp", 40, 13, { colour: colours.approach, font: "600 12px system-ui, sans-serif" });
  write(pen, "onto avoidance, MBONn", 40, height - 5, { colour: colours.avoid });
  pen.font = "12px system-ui, sans-serif";
  if (told) drawWeightTicks(pen, most, middle);
}

function drawWeightBars(pen, weights, side, colour, most, width, middle) {
  const step = (width - 38) / Math.max(1, weights.length);
  const room = middle - 22;
  pen.fillStyle = colour;
  weights.forEach((weight, cell) => {
    const high = (weight / most) * room;
    pen.fillRect(34 + cell * step, side < 0 ? middle - high : middle, Math.max(1, step * 0.72), high);
  });
}

function drawWeightTicks(pen, most, middle) {
  for (const weight of ticks(0, most, 3)) {
    const away = (weight / most) * (middle - 22);
    write(pen, String(weight), 28, middle - away + 4, { align: "right" });
    if (weight) write(pen, String(weight), 28, middle + away + 4, { align: "right" });
  }
}

/** The table of a Q-learner: a row for each state, a column for each gain, the best of a row marked. */
function showTable(table, larva) {
  const told = at(story.tables.get(larva) ?? [], player.now_s);
  if (!told) {
    table.replaceChildren(rowOf(["its table has not been told yet"], "td"));
    return;
  }
  const head = rowOf(["state", ...told.actions], "th");
  const rows = told.states.map((state, place) => {
    const row = rowOf([state, ...told.q[place].map((value) => (value === null ? "" : Number(value).toPrecision(3)))], "td");
    const best = Math.max(...told.q[place]);
    told.q[place].forEach((value, action) => row.children[action + 1].classList.toggle("best", value === best && best !== 0));
    return row;
  });
  table.replaceChildren(head, ...rows);
}

function rowOf(texts, tag) {
  const row = document.createElement("tr");
  for (const text of texts) row.appendChild(document.createElement(tag)).textContent = Array.isArray(text) ? text.join(", ") : String(text);
  return row;
}
