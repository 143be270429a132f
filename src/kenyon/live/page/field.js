// What stands in place of a dish where there is none: larvae between "avoids" and "follows", a row each.

/** How rows and likings become places on the canvas. */
function fieldOf(width, height) {
  const names = groups();
  const count = larvae().length + names.length;
  const row = Math.min(34, (height - 62) / Math.max(1, count));
  const top = 44 + Math.max(0, height - 62 - row * count) / 2;
  const { low, high } = colouring();
  const reach = Math.max(Math.abs(low), Math.abs(high)) || 1;
  const half = width / 2 - 34;
  const x = (value) => width / 2 + Math.max(-1, Math.min(1, value / reach)) * half;
  return { row, top, x, rows: rowsOf(names) };
}

/** The row of each larva, larvae of a group together below its name. */
function rowsOf(names) {
  const rows = { larvae: new Map(), names: new Map() };
  let row = 0;
  for (const name of names) {
    rows.names.set(name, row);
    row += 1;
    larvae().forEach((_, larva) => {
      if (groupOf(larva) !== name) return;
      rows.larvae.set(larva, row);
      row += 1;
    });
  }
  return rows;
}

function drawField(canvas, stimulus, chosen) {
  const { pen, width, height } = penOf(canvas);
  const field = fieldOf(width, height);
  drawGround(pen, field, width, height, stimulus);
  for (const [name, row] of field.rows.names) {
    if (name) write(pen, name, 14, field.top + (row + 0.72) * field.row, { colour: colours.ink, most: width - 30, font: "600 12px system-ui, sans-serif" });
  }
  larvae().forEach((_, larva) => drawStanding(pen, field, larva, stimulus, larva === chosen, width));
}

function drawGround(pen, field, width, height, stimulus) {
  const path = new Path2D();
  path.roundRect(2, 2, width - 4, height - 4, 14);
  pen.fillStyle = colours.dish;
  pen.fill(path);
  pen.strokeStyle = colours.rim;
  pen.lineWidth = 1.5;
  pen.stroke(path);
  const cloud = pen.createLinearGradient(width * 0.5, 0, width, 0);
  const [red, green, blue] = rgb(stimulusColour(stimulus));
  cloud.addColorStop(0, `rgb(${red} ${green} ${blue} / 0)`);
  cloud.addColorStop(1, `rgb(${red} ${green} ${blue} / 0.36)`);
  pen.fillStyle = cloud;
  pen.fill(path);
  pen.setLineDash([3, 5]);
  line(pen, width / 2, 36, width / 2, height - 14, colours.rim);
  pen.setLineDash([]);
  write(pen, "← would leave it", 14, 24);
  write(pen, `would go to ${stimulus ?? "it"} →`, width - 14, 24, { align: "right", colour: colours.ink, most: width / 2 });
}

/** A liking on the way from one frame to the next, so that larvae walk and do not jump. */
function likingBetween(larva, stimulus) {
  const now = liking(larva, stimulus, player.now_s);
  const frame = at(story.frames, player.now_s);
  const after = story.frames[placeAt(story.frames, player.now_s) + 1];
  const next = after ? measured(after, stimulus)?.[larva] : null;
  if (now === null || next === null || next === undefined || !frame || calm.matches) return now;
  return now + ((next - now) * (player.now_s - frame.t_s)) / (after.t_s - frame.t_s || 1);
}

function spotInField(field, larva, stimulus) {
  return { x: field.x(likingBetween(larva, stimulus) ?? 0), y: field.top + (field.rows.larvae.get(larva) + 0.5) * field.row };
}

function drawStanding(pen, field, larva, stimulus, isChosen, width) {
  const value = likingBetween(larva, stimulus);
  const { x, y } = spotInField(field, larva, stimulus);
  const length = Math.max(5, Math.min(30, field.row * 1.5));
  const middle = field.x(0);
  pen.globalAlpha = 0.45;
  if (field.row > 3) line(pen, middle, y, x, y, colourOf(value), Math.min(2, field.row / 5));
  pen.globalAlpha = value === null ? 0.55 : 1;
  const towards = value !== null && value < 0 ? Math.PI : 0;
  drawLarva(pen, x + (towards ? -length / 2 : length / 2), y, towards, length, colourOf(value));
  pen.globalAlpha = 1;
  if (!isChosen) return;
  pen.strokeStyle = colours.ink;
  pen.lineWidth = 1.6;
  pen.beginPath();
  pen.ellipse(x, y, length * 0.72, Math.max(5, field.row * 0.46), 0, 0, 2 * Math.PI);
  pen.stroke();
  if (field.row > 9) write(pen, larvae()[larva], x > middle ? 14 : width - 14, y + 4, { align: x > middle ? "left" : "right", most: width / 3 });
}

function spotsInField(canvas, stimulus) {
  const field = fieldOf(canvas.clientWidth, canvas.clientHeight);
  return larvae().map((_, larva) => spotInField(field, larva, stimulus));
}
