// What all drawings share: canvases as sharp as the screen, the colors of the style sheet, axes.

let colours = {};

/** Read the colors of the style sheet, which differ by day and night. */
function readColours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["card", "ink", "soft", "line", "dish", "rim", "approach", "avoid", "neutral", "dopamine", "synapse",
    "reward", "punishment", "future", "series-1", "series-2", "series-3", "series-4", "series-5", "series-6"];
  colours = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

function byId(id) {
  return document.getElementById(id);
}

/** Clear a canvas and return its pen, with its size in the pixels of the style sheet. */
function penOf(canvas) {
  const sharpness = Math.min(3, window.devicePixelRatio || 1);
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * sharpness) || canvas.height !== Math.round(height * sharpness)) {
    canvas.width = Math.round(width * sharpness);
    canvas.height = Math.round(height * sharpness);
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(sharpness, 0, 0, sharpness, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.font = "12px system-ui, sans-serif";
  pen.lineJoin = "round";
  return { pen, width, height };
}

function rgb(colour) {
  return [1, 3, 5].map((place) => parseInt(colour.slice(place, place + 2), 16));
}

function mixed(first, second, share) {
  const to = rgb(second);
  return `rgb(${rgb(first).map((value, i) => Math.round(value + (to[i] - value) * share)).join(" ")})`;
}

/** The color of a liking: vermilion below 0, blue above, gray for none. */
function colourOf(value) {
  if (value === null || value === undefined) return colours.neutral;
  const { low, high } = colouring();
  const share = value < 0 ? value / -Math.abs(low || 1) : value / Math.abs(high || 1);
  return mixed(colours.neutral, value < 0 ? colours.avoid : colours.approach, Math.min(1, Math.sqrt(Math.abs(share))));
}

function stimulusColour(stimulus) {
  const place = (story.begun?.stimuli ?? []).indexOf(stimulus);
  return colours[`series-${(Math.max(0, place) % 6) + 1}`];
}

function write(pen, text, x, y, { colour = colours.soft, align = "left", most = Infinity, font = null } = {}) {
  pen.fillStyle = colour;
  pen.textAlign = align;
  if (font) pen.font = font;
  pen.fillText(shortened(pen, String(text), most), x, y);
}

function shortened(pen, text, most) {
  if (pen.measureText(text).width <= most) return text;
  let kept = text.slice(0, 80);
  while (kept.length > 1 && pen.measureText(`${kept}…`).width > most) kept = kept.slice(0, -1);
  return `${kept}…`;
}

function line(pen, x1, y1, x2, y2, colour, width = 1) {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.beginPath();
  pen.moveTo(x1, y1);
  pen.lineTo(x2, y2);
  pen.stroke();
}

function disc(pen, x, y, radius, colour) {
  pen.fillStyle = colour;
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fill();
}

/** Round numbers between two values, about so many. */
function ticks(low, high, about) {
  const rough = (high - low) / about || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((value) => value >= rough);
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, i) => Number(((first + i) * step).toPrecision(10)));
}

/** Moments to write on a time axis. */
function timeTicks(from_s, to_s, about) {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];
  const step = steps.find((value) => (to_s - from_s) / value <= about) ?? (to_s - from_s) / about;
  const first = Math.ceil(from_s / step);
  return Array.from({ length: Math.floor(to_s / step) - first + 1 }, (_, i) => (first + i) * step);
}

/** Draw a larva, its head at a place, in the direction of `heading` (rad, up is positive). */
function drawLarva(pen, x, y, heading, length, colour, bend = 0) {
  pen.save();
  pen.translate(x, y);
  pen.rotate(-heading);
  pen.scale(length, length);
  pen.fillStyle = colour;
  pen.fill(larvaPath(bend));
  pen.lineWidth = 1 / length;
  pen.strokeStyle = colours.dish;
  if (length > 14) segments(pen, bend);
  if (length > 14) disc(pen, -0.06, 0, 0.045, colours.ink);
  pen.restore();
}

/** The body, closed. */
function larvaPath(bend) {
  const path = new Path2D();
  path.moveTo(0, 0);
  path.bezierCurveTo(-0.05, -0.07, -0.16, -0.125, -0.38, -0.145 + bend * 0.25);
  path.bezierCurveTo(-0.66, -0.165 + bend * 0.6, -0.96, -0.15 + bend, -1, bend);
  path.bezierCurveTo(-0.96, 0.15 + bend, -0.66, 0.165 + bend * 0.6, -0.38, 0.145 + bend * 0.25);
  path.bezierCurveTo(-0.16, 0.125, -0.05, 0.07, 0, 0);
  return path;
}

/** Fine lines across, as a larva has them. */
function segments(pen, bend) {
  const alpha = pen.globalAlpha;
  pen.globalAlpha = alpha * 0.55;
  for (const place of [0.2, 0.36, 0.52, 0.68, 0.84]) {
    const middle = bend * place * place;
    pen.beginPath();
    pen.moveTo(-place, middle - 0.1);
    pen.quadraticCurveTo(-place - 0.035, middle, -place, middle + 0.1);
    pen.stroke();
  }
  pen.globalAlpha = alpha;
}
