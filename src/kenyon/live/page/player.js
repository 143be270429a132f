// The clock of the page: which moment is shown. The run goes on whatever the clock does.

const SPEEDS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500];
const WHOLE_LASTS_S = 45; // A recorded run is played at the speed at which it lasts about so long.
const CATCH_UP_S = 0.3;

const player = { now_s: 0, speed: 10, playing: true, following: true, live: true, stamp: null };
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

/** Begin to play what is known already. */
function playRecorded() {
  player.live = false;
  player.following = false;
  player.playing = !calm.matches;
  player.now_s = calm.matches ? newest_s() : begins_s();
  player.speed = speedFor(newest_s() - begins_s());
}

function speedFor(lasts_s) {
  return SPEEDS.find((speed) => lasts_s / speed <= WHOLE_LASTS_S) ?? SPEEDS.at(-1);
}

/** Let the clock go on until a time stamp of the browser, in ms. */
function advance(stamp) {
  const passed_s = player.stamp === null ? 0 : Math.min(0.25, (stamp - player.stamp) / 1000);
  player.stamp = stamp;
  if (!player.playing) return;
  if (player.following) follow(passed_s);
  else play(passed_s);
}

function follow(passed_s) {
  const behind_s = newest_s() - player.now_s;
  const left_s = calm.matches || behind_s < 0.02 ? 0 : behind_s * Math.exp(-passed_s / CATCH_UP_S);
  player.now_s = newest_s() - left_s;
  if (story.ended && left_s === 0) player.playing = player.following = false;
}

function play(passed_s) {
  player.now_s = Math.min(newest_s(), player.now_s + passed_s * player.speed);
  if (player.now_s < newest_s()) return;
  if (player.live && !story.ended) player.following = true;
  else player.playing = false;
}

/** Whether the next picture will differ from this one without anybody's doing. */
function moving() {
  return player.playing && player.now_s < newest_s();
}

function toggle() {
  if (!player.playing && player.now_s >= newest_s() && (story.ended || !player.live)) player.now_s = begins_s();
  player.playing = !player.playing;
  if (!player.playing) player.following = false;
}

function seek(t_s) {
  player.now_s = Math.max(begins_s(), Math.min(newest_s(), t_s));
  player.following = player.live && !story.ended && player.playing && player.now_s >= newest_s();
}

function toNewest() {
  player.now_s = newest_s();
  player.following = player.live;
  player.playing = player.live && !story.ended;
}

function faster(steps) {
  const place = SPEEDS.indexOf(player.speed) + steps;
  player.speed = SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, place))];
  player.following = false;
}

function clock(t_s) {
  const whole = Math.max(0, Math.floor(t_s));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const rest = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}
