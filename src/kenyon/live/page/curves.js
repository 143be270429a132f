// Likings over time: each larva faint, the mean of each group bold, the chosen larva in between.

const MOST_POINTS = 260; // Of a line: more than a screen shows apart.
const MOST_SINGLE = 40; // Larvae that are drawn one by one.
const MARGIN = { left: 44, right: 14, top: 10, bottom: 24 };

/** Whether likings are told all the time, not by tests alone. */
function isToldAlways() {
  return colouring().by === "gain";
}

/** Moments and what larvae thought of a stimulus then: [{t_s, values}]. */
function pointsOf(stimulus) {
  if (!isToldAlways() && story.answers.length) return story.answers.filter((answer) => answer.odor === stimulus).map((answer) => ({ t_s: answer.t_s, values: answer.preference }));
  const step = Math.max(1, Math.ceil(story.frames.length / MOST_POINTS));
  return story.frames
    .filter((_, place) => place % step === 0 || place === story.frames.length - 1)
    .map((frame) => ({ t_s: frame.t_s, values: measured(frame, stimulus) ?? [] }));
}

function meanOf(values, members) {
  const known = members.map((larva) => values[larva]).filter((value) => value !== null && value !== undefined);
  return known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
}

/** Of each group the places of its larvae. */
function members() {
  return groups().map((name) => larvae().map((_, larva) => larva).filter((larva) => groupOf(larva) === name));
}

function drawCurves(canvas, chosen) {
  const { pen, width, height } = penOf(canvas);
  const lines = (story.begun?.stimuli ?? []).slice(0, 6).map((stimulus) => ({ stimulus, points: pointsOf(stimulus) }));
  const axes = axesOf(lines, width, height);
  drawAxes(pen, axes, width, height);
  pen.save();
  pen.beginPath();
  pen.rect(MARGIN.left, 0, width - MARGIN.left - MARGIN.right, height - MARGIN.bottom + 4);
  pen.clip();
  for (const { stimulus, points } of lines) drawLikings(pen, axes, points, stimulusColour(stimulus), chosen);
  pen.restore();
  drawNow(pen, axes, width, height);
}

function axesOf(lines, width, height) {
  let { low, high } = colouring();
  for (const { points } of lines) {
    for (const { values } of points) {
      for (const value of values) {
        if (value > high) high = value;
        if (value < low) low = value;
      }
    }
  }
  if (isToldAlways()) [low, high] = extent(lines, low, high);
  const [from_s, to_s] = [Math.min(0, begins_s()), horizon_s()];
  const x = (t_s) => MARGIN.left + ((t_s - from_s) / (to_s - from_s)) * (width - MARGIN.left - MARGIN.right);
  const y = (value) => height - MARGIN.bottom - ((value - low) / (high - low || 1)) * (height - MARGIN.top - MARGIN.bottom);
  return { low, high, from_s, to_s, x, y };
}

/** Gains have no fixed bounds: the axis shows those that there were, and 0. */
function extent(lines, low, high) {
  const all = lines.flatMap(({ points }) => points.flatMap(({ values }) => values)).filter((value) => value !== null && value !== undefined);
  if (!all.length) return [low, high];
  const least = all.reduce((a, b) => Math.min(a, b), 0);
  const most = all.reduce((a, b) => Math.max(a, b), 0);
  const room = 0.06 * (most - least || 1);
  return [least < 0 ? least - room : -room, most + room];
}

function drawAxes(pen, axes, width, height) {
  for (const value of ticks(axes.low, axes.high, 5)) {
    line(pen, MARGIN.left, axes.y(value), width - MARGIN.right, axes.y(value), value === 0 ? colours.soft : colours.line);
    write(pen, String(value).replace("-", "−"), MARGIN.left - 7, axes.y(value) + 4, { align: "right" });
  }
  for (const t_s of timeTicks(axes.from_s, axes.to_s, width < 420 ? 4 : 7)) {
    write(pen, clock(t_s), axes.x(t_s), height - 6, { align: "center" });
  }
}

function drawLikings(pen, axes, points, colour, chosen) {
  pen.strokeStyle = colour;
  pen.lineWidth = 1;
  pen.globalAlpha = Math.max(0.1, Math.min(0.35, 1 / Math.sqrt(larvae().length)));
  larvae().slice(0, MOST_SINGLE).forEach((_, larva) => trace(pen, axes, points, (values) => values[larva]));
  pen.globalAlpha = 1;
  members().forEach((places, group) => {
    pen.lineWidth = 3;
    pen.setLineDash([[], [7, 5], [2, 4], [10, 4, 2, 4]][group % 4]);
    trace(pen, axes, points, (values) => meanOf(values, places));
  });
  pen.setLineDash([]);
  pen.lineWidth = 1.4;
  trace(pen, axes, points, (values) => values[chosen]);
  const last = points.filter(({ t_s, values }) => t_s <= player.now_s && values[chosen] !== null && values[chosen] !== undefined).at(-1);
  if (last) disc(pen, axes.x(isToldAlways() ? player.now_s : last.t_s), axes.y(last.values[chosen]), 4.5, colour);
}

/** One line; what is not known is a gap, and a test that stands alone a dot. */
function trace(pen, axes, points, valueOf) {
  pen.beginPath();
  let before = null;
  for (const { t_s, values } of points) {
    const value = valueOf(values);
    const known = value !== null && value !== undefined;
    if (known && before === null) pen.moveTo(axes.x(t_s), axes.y(value));
    else if (known) pen.lineTo(axes.x(t_s), axes.y(value));
    before = known ? value : isToldAlways() ? null : before;
  }
  pen.stroke();
}

/** What is known but has not come yet on the clock is behind a veil. */
function drawNow(pen, axes, width, height) {
  const x = axes.x(player.now_s);
  pen.fillStyle = colours.future;
  pen.fillRect(x, 0, Math.max(0, width - MARGIN.right - x), height - MARGIN.bottom);
  line(pen, x, 4, x, height - MARGIN.bottom, colours.ink, 1.5);
}

/** The key below: a line for each stimulus, and what the dashes of groups mean. */
function fillCurvesKey(list) {
  const entries = (story.begun?.stimuli ?? []).slice(0, 6).map((stimulus) => keyEntry(stimulus, stimulusColour(stimulus), "solid"));
  const names = groups();
  if (names.length > 1) names.slice(0, 4).forEach((name, place) => entries.push(keyEntry(name, colours.soft, ["solid", "dashed", "dotted", "double"][place])));
  const words = document.createElement("li");
  words.textContent = "bold: mean; pale: each larva; with a dot: the chosen one";
  list.replaceChildren(...entries, words);
}

function keyEntry(text, colour, style) {
  const entry = document.createElement("li");
  const mark = document.createElement("i");
  mark.style.borderTopColor = colour;
  mark.style.borderTopStyle = style;
  entry.append(mark, document.createTextNode(text));
  return entry;
}

/** In the end: what each larva has learned of each stimulus, a dot each, the mean a bar. */
function drawLearned(canvas) {
  const { pen, width, height } = penOf(canvas);
  const learned = story.ended?.learned ?? {};
  const rows = Object.keys(learned).slice(0, 8).flatMap((stimulus) => members().map((places) => ({ stimulus, places })));
  const all = rows.flatMap(({ stimulus, places }) => places.map((larva) => learned[stimulus][larva])).filter((value) => value !== null);
  const reach = Math.max(1, ...all.map(Math.abs)) * 1.05;
  const left = Math.min(220, width * 0.44);
  const x = (value) => left + ((value + reach) / (2 * reach)) * (width - left - 16);
  for (const value of ticks(-reach, reach, width < 500 ? 4 : 8)) {
    line(pen, x(value), 6, x(value), height - 22, value === 0 ? colours.soft : colours.line);
    write(pen, String(value).replace("-", "−"), x(value), height - 6, { align: "center" });
  }
  const high = (height - 28) / Math.max(1, rows.length);
  rows.forEach((row, place) => drawLearnedRow(pen, row, learned[row.stimulus], x, 6 + (place + 0.5) * high, high, left));
}

function drawLearnedRow(pen, { stimulus, places }, values, x, y, high, left) {
  const colour = stimulusColour(stimulus);
  const name = groups().length > 1 ? `${stimulus}, ${groupOf(places[0])}` : stimulus;
  write(pen, name, left - 12, y + 4, { align: "right", colour: colours.ink, most: left - 16 });
  pen.globalAlpha = 0.55;
  places.forEach((larva, i) => {
    const value = values[larva];
    if (value !== null && value !== undefined) disc(pen, x(value), y + (((i * 7) % 11) / 11 - 0.5) * Math.min(high * 0.6, 26), 4, colour);
  });
  pen.globalAlpha = 1;
  const mean = meanOf(values, places);
  if (mean !== null) line(pen, x(mean), y - Math.min(high * 0.4, 17), x(mean), y + Math.min(high * 0.4, 17), colour, 3.5);
}
