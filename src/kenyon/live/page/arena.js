// The dish: odors, food, and larvae with their tails.

const TAIL_S = 30;
const TAIL_PIECES = 6; // Each paler than the next.
const BODY_M = 0.004; // A third-instar larva is some 4 mm long.
const FASTEST_M_S = 0.005; // No larva crawls so fast: it has been put somewhere else.

/** How a place in the arena, in m from its middle, becomes one on the canvas. */
function viewOf(width, height) {
  const { width_m, height_m } = story.begun.arena;
  const scale = Math.min((width - 16) / width_m, (height - 16) / height_m);
  return { scale, x: (x_m) => width / 2 + x_m * scale, y: (y_m) => height / 2 - y_m * scale };
}

function drawArena(canvas, stimulus, chosen) {
  const { pen, width, height } = penOf(canvas);
  const view = viewOf(width, height);
  drawDish(pen, view);
  pen.save();
  pen.clip(dishPath(view));
  const sources = at(story.sources, player.now_s)?.sources ?? [];
  for (const source of sources) drawSource(pen, view, source, sources);
  drawTails(pen, view, stimulus, chosen);
  pen.restore();
  drawScaleBar(pen, view, width, height);
  nameSources(pen, view);
  larvae().forEach((_, larva) => drawPlaced(pen, view, larva, stimulus, larva === chosen));
}

function dishPath(view) {
  const { shape, width_m, height_m } = story.begun.arena;
  const path = new Path2D();
  if (shape === "circular") path.arc(view.x(0), view.y(0), (width_m / 2) * view.scale, 0, 2 * Math.PI);
  else path.roundRect(view.x(-width_m / 2), view.y(height_m / 2), width_m * view.scale, height_m * view.scale, 8);
  return path;
}

function drawDish(pen, view) {
  const path = dishPath(view);
  pen.fillStyle = colours.dish;
  pen.fill(path);
  pen.strokeStyle = colours.line;
  pen.lineWidth = 7;
  pen.stroke(path);
  pen.strokeStyle = colours.rim;
  pen.lineWidth = 1.5;
  pen.stroke(path);
}

function drawSource(pen, view, source, sources) {
  if (source.amount === 0) return;
  if (source.kind === "food") drawFood(pen, view, source);
  if (source.stimulus && !isEverywhere(source)) drawOdor(pen, view, source, sources);
}

/** An odor is a cloud, densest at its source. Where several have one source, each has a sector of the cloud. */
function drawOdor(pen, view, source, sources) {
  const [x, y] = [view.x(source.x), view.y(source.y)];
  const reach = Math.max(source.radius_m ?? 0, 0.3 * story.begun.arena.width_m) * view.scale;
  const cloud = pen.createRadialGradient(x, y, 0, x, y, reach);
  const [red, green, blue] = rgb(stimulusColour(source.stimulus));
  [[0, 0.5], [0.3, 0.24], [0.65, 0.07], [1, 0]].forEach(([place, alpha]) => cloud.addColorStop(place, `rgb(${red} ${green} ${blue} / ${alpha})`));
  const here = sources.filter((other) => other.stimulus && other.x === source.x && other.y === source.y);
  const share = (2 * Math.PI) / here.length;
  const from = here.length > 1 ? here.indexOf(source) * share + Math.PI : 0;
  pen.fillStyle = cloud;
  pen.beginPath();
  if (here.length > 1) pen.moveTo(x, y);
  pen.arc(x, y, reach, from, from + share);
  pen.fill();
  disc(pen, x, y, 3, colours.ink);
}

function drawFood(pen, view, source) {
  pen.globalAlpha = 0.3;
  if (isEverywhere(source)) fillWithCrumbs(pen, view);
  else disc(pen, view.x(source.x), view.y(source.y), Math.max(3, (source.radius_m ?? 0) * view.scale), colours.reward);
  pen.globalAlpha = 1;
}

function isEverywhere(source) {
  return [source.x, source.radius_m].some((value) => value === null || value === undefined);
}

/** Food that is everywhere is crumbs all over the dish. */
function fillWithCrumbs(pen, view) {
  pen.fillStyle = crumbs(pen);
  pen.fill(dishPath(view));
}

function crumbs(pen) {
  const tile = new OffscreenCanvas(22, 22);
  const small = tile.getContext("2d");
  [[4, 5], [15, 3], [10, 13], [19, 17], [3, 18]].forEach(([x, y]) => disc(small, x, y, 1.5, colours.reward));
  return pen.createPattern(tile, "repeat");
}

/** Odors have their names beside their sources; two in one place share a line. */
function nameSources(pen, view) {
  const names = new Map();
  for (const source of at(story.sources, player.now_s)?.sources ?? []) {
    if (!source.stimulus || isEverywhere(source) || source.amount === 0) continue;
    const place = `${source.x} ${source.y}`;
    names.set(place, { ...source, text: [names.get(place)?.text, source.stimulus].filter(Boolean).join(" + ") });
  }
  for (const { text, x, y } of names.values()) {
    const options = { align: "center", colour: colours.ink, most: 150, font: "600 12px system-ui, sans-serif" };
    write(pen, text, view.x(x), view.y(y) + (y >= 0 ? -9 : 17), options);
  }
  pen.font = "12px system-ui, sans-serif";
}

function drawScaleBar(pen, view, width, height) {
  const long_mm = [1, 2, 5, 10, 20, 50, 100, 200].find((mm) => (mm / 1000) * view.scale > 45) ?? 500;
  const long = (long_mm / 1000) * view.scale;
  line(pen, width - 10 - long, height - 8, width - 10, height - 8, colours.soft, 2);
  write(pen, `${long_mm} mm`, width - 10, height - 14, { align: "right" });
}

/** Where a larva is at some time, between two frames on the way from one to the other; null if it is nowhere. */
function whereIs(larva, t_s) {
  const place = placeAt(story.frames, t_s);
  const before = story.frames[Math.max(0, place)];
  const after = story.frames[place + 1] ?? before;
  const from = before && standing(before, larva);
  if (!from) return null;
  const span_s = after.t_s - before.t_s;
  const next = standing(after, larva);
  const to = next && !isJump(from, next, span_s) ? next : from;
  const share = calm.matches || !(span_s > 0) ? 0 : Math.max(0, Math.min(1, (t_s - before.t_s) / span_s));
  return {
    x: from.x + (to.x - from.x) * share,
    y: from.y + (to.y - from.y) * share,
    heading: from.heading + turn(from.heading, to.heading) * share,
    bend: turn(from.heading, to.heading),
    fed: Boolean(before.on_food?.[larva]),
  };
}

function standing(frame, larva) {
  const [x, y] = [frame.x?.[larva], frame.y?.[larva]];
  return x === null || x === undefined ? null : { x, y, heading: frame.heading?.[larva] ?? 0 };
}

/** Whether a larva was taken from one place to another, as between trials. */
function isJump(from, to, within_s) {
  return Math.hypot(to.x - from.x, to.y - from.y) > 0.002 + FASTEST_M_S * within_s;
}

/** The shorter way from one direction to another, rad. */
function turn(from, to) {
  return Math.atan2(Math.sin(to - from), Math.cos(to - from));
}

function drawTails(pen, view, stimulus, chosen) {
  const last = placeAt(story.frames, player.now_s);
  let first = placeAt(story.frames, player.now_s - TAIL_S);
  first = Math.max(0, first, last - 240);
  larvae().forEach((_, larva) => {
    const colour = colourOf(liking(larva, stimulus, player.now_s));
    drawTail(pen, view, larva, first, last, colour, larva === chosen ? 2.4 : 1.5);
  });
}

/** A tail fades where the larva has been longer ago, and ends where it was put down. */
function drawTail(pen, view, larva, first, last, colour, width) {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  const here = whereIs(larva, player.now_s);
  for (let piece = 0; piece < TAIL_PIECES; piece += 1) {
    const from = first + Math.floor(((last - first) * piece) / TAIL_PIECES);
    const to = first + Math.floor(((last - first) * (piece + 1)) / TAIL_PIECES);
    pen.globalAlpha = 0.07 + (0.5 * (piece + 1)) / TAIL_PIECES;
    pen.beginPath();
    drawWay(pen, view, larva, from, to, piece === TAIL_PIECES - 1 ? here : null);
    pen.stroke();
  }
  pen.globalAlpha = 1;
}

/** The way of a larva from one frame to another, and on to where it is now. */
function drawWay(pen, view, larva, from, to, here) {
  let before = null;
  for (let place = from; place <= to; place += 1) {
    const frame = story.frames[place];
    const spot = frame && standing(frame, larva);
    if (!spot) continue;
    const jumped = before && isJump(before.spot, spot, frame.t_s - before.t_s);
    if (before && !jumped) pen.lineTo(view.x(spot.x), view.y(spot.y));
    else pen.moveTo(view.x(spot.x), view.y(spot.y));
    before = { spot, t_s: frame.t_s };
  }
  if (here && before) pen.lineTo(view.x(here.x), view.y(here.y));
}

function drawPlaced(pen, view, larva, stimulus, isChosen) {
  const spot = whereIs(larva, player.now_s);
  if (!spot) return;
  const [x, y] = [view.x(spot.x), view.y(spot.y)];
  const length = Math.max(20, BODY_M * view.scale);
  const heading = spot.heading;
  if (spot.fed) halo(pen, x - (Math.cos(heading) * length) / 2, y + (Math.sin(heading) * length) / 2, length * 0.62);
  const colour = colourOf(liking(larva, stimulus, player.now_s));
  drawLarva(pen, x, y, heading, length, colour, Math.max(-1, Math.min(1, spot.bend)) * 0.2);
  if (isChosen) ring(pen, x - (Math.cos(heading) * length) / 2, y + (Math.sin(heading) * length) / 2, length * 0.72, larva);
}

/** A larva on food has a glow of the color of reward. */
function halo(pen, x, y, radius) {
  pen.globalAlpha = 0.28;
  disc(pen, x, y, radius, colours.reward);
  pen.globalAlpha = 1;
}

function ring(pen, x, y, radius, larva) {
  pen.strokeStyle = colours.ink;
  pen.lineWidth = 1.8;
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.stroke();
  write(pen, larvae()[larva], x, y - radius - 5, { align: "center", colour: colours.ink, most: 140 });
}

/** Where each larva is on the canvas, for whoever clicks. */
function spotsInArena(canvas) {
  const view = viewOf(canvas.clientWidth, canvas.clientHeight);
  return larvae().map((_, larva) => {
    const spot = whereIs(larva, player.now_s);
    return spot && { x: view.x(spot.x), y: view.y(spot.y) };
  });
}
