// What is given over time: a lane for each odor, for reward, for punishment, for tests.

const LANE = 15;
const LANES_TOP = 3;
const THUMB = 6; // Half the width of the slider's thumb, which the style sheet gives it.

/** What each lane shows: a name, a color, and whether a stretch of time belongs in it. */
function lanesOf(stretches) {
  const stimuli = (story.begun?.stimuli ?? []).slice(0, 6);
  const lanes = stimuli.map((name) => ({ name, colour: stimulusColour(name), holds: (stretch) => own(stretch.odors, name) > 0 }));
  lanes.push({ name: "reward", colour: colours.reward, holds: (stretch) => stretch.reward > 0 });
  lanes.push({ name: "punishment", colour: colours.punishment, holds: (stretch) => stretch.punishment > 0 });
  lanes.push({ name: "tests", colour: colours.ink, holds: (stretch) => stretch.kind === "test" });
  return lanes.filter(({ holds }) => stretches.some(holds));
}

function drawTimeline(canvas, chosen) {
  const stretches = given(chosen);
  const lanes = lanesOf(stretches);
  canvas.style.height = `${LANES_TOP * 2 + LANE * Math.max(2, lanes.length) + 14}px`;
  const { pen, width, height } = penOf(canvas);
  const names = parseFloat(getComputedStyle(canvas.parentElement).getPropertyValue("--names")) * 16;
  const [from_s, to_s] = [Math.min(0, begins_s()), horizon_s()];
  const x = (t_s) => names + THUMB + ((t_s - from_s) / (to_s - from_s)) * (width - names - 2 * THUMB);
  drawUnknown(pen, x, height, to_s);
  lanes.forEach((lane, place) => drawLane(pen, lane, stretches, x, LANES_TOP + place * LANE, names));
  if (!lanes.length) write(pen, "nothing given yet", names + 8, LANES_TOP + LANE);
  for (const t_s of timeTicks(from_s, to_s, width < 560 ? 4 : 10)) {
    write(pen, clock(t_s), Math.min(width - 14, Math.max(names + 12, x(t_s))), height - 2, { align: "center", font: "10.5px system-ui, sans-serif" });
  }
}

/** Time that the run has not come to yet. */
function drawUnknown(pen, x, height, to_s) {
  pen.fillStyle = colours.line;
  pen.globalAlpha = 0.45;
  pen.fillRect(x(newest_s()), 0, x(to_s) - x(newest_s()), height - 14);
  pen.globalAlpha = 1;
}

function drawLane(pen, lane, stretches, x, y, names) {
  write(pen, lane.name, names - 4, y + LANE - 4, { align: "right", most: names - 8 });
  line(pen, x(Math.min(0, begins_s())), y + LANE / 2, x(horizon_s()), y + LANE / 2, colours.line);
  pen.fillStyle = lane.colour;
  for (const stretch of stretches.filter(lane.holds)) {
    pen.beginPath();
    if (stretch.end_s > stretch.start_s) pen.roundRect(x(stretch.start_s), y + 2, Math.max(1.5, x(stretch.end_s) - x(stretch.start_s)), LANE - 4, 3);
    else if (lane.name === "tests") pen.arc(x(stretch.start_s), y + LANE / 2, 3.5, 0, 2 * Math.PI); // On a copy, it takes no time.
    pen.fill();
  }
}

/** What is given at a moment, in words. */
function inWords(larva, t_s) {
  const stretch = stretchAt(larva, t_s);
  if (!stretch) return "";
  const things = Object.keys(stretch.odors ?? {}).filter((name) => stretch.odors[name] > 0);
  const odors = things.length ? things.join(" and ") : "no odor";
  const with_ = [stretch.reward > 0 ? "reward" : null, stretch.punishment > 0 ? "punishment" : null].filter(Boolean).join(" and ");
  return `${stretch.kind === "test" ? "test: " : ""}${odors}${with_ ? ` with ${with_}` : ""}`;
}
