// What the run has told so far: messages in the order of their times, looked up by time. Draws nothing.

const MOST_FRAMES = 4000; // Beyond, every other one of the older half is forgotten: a server may run for weeks.
const MOST_CELLS = 1500; // Messages of spikes that are kept of one larva.

let story = emptyStory();

function emptyStory() {
  return { begun: null, frames: [], sources: [], answers: [], cells: new Map(), tables: new Map(), ended: null };
}

/** What each kind of message means to the story. */
const HEARD = {
  begun(message) {
    story = emptyStory();
    story.begun = message;
    story.sources.push({ t_s: -Infinity, sources: message.sources ?? [] });
  },
  joined(message) {
    story.begun.larvae.push(...message.larvae);
    story.begun.groups.push(...message.groups);
  },
  frame(message) {
    const { frames } = story;
    if (message.t_s < (frames.at(-1)?.t_s ?? -Infinity)) return;
    frames.push(message);
    if (message.sources) story.sources.push({ t_s: message.t_s, sources: message.sources });
    if (frames.length > MOST_FRAMES) story.frames = thinned(frames);
  },
  cells(message) {
    remember(story.cells, message, MOST_CELLS);
  },
  table(message) {
    remember(story.tables, message, MOST_FRAMES);
  },
  answer(message) {
    story.answers.push(message);
  },
  ended(message) {
    story.ended = message;
  },
};

/** Take one message in; an unknown kind, of a later version, is passed over. */
function tell(message) {
  if (!Object.hasOwn(HEARD, message.kind) || (message.kind !== "begun" && !story.begun)) return false;
  HEARD[message.kind](message);
  return true;
}

function thinned(frames) {
  const half = frames.length >> 1;
  return frames.filter((_, place) => place > half || place % 2 === 0);
}

function remember(byLarva, message, most) {
  const kept = byLarva.get(message.larva) ?? [];
  kept.push(message);
  if (kept.length > most) kept.shift();
  byLarva.set(message.larva, kept);
}

/** The place of the last message at or before a time, or -1. */
function placeAt(messages, t_s) {
  let low = 0;
  let high = messages.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (messages[middle].t_s <= t_s) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function at(messages, t_s) {
  return messages[placeAt(messages, t_s)] ?? null;
}

/** An object's own value: a stimulus may be called anything, also "constructor". */
function own(object, name) {
  return object && Object.hasOwn(object, name) ? object[name] : null;
}

function begins_s() {
  return Math.min(story.frames[0]?.t_s ?? 0, story.answers[0]?.t_s ?? Infinity);
}

/** The newest moment that is known. */
function newest_s() {
  return Math.max(story.frames.at(-1)?.t_s ?? 0, story.answers.at(-1)?.t_s ?? 0);
}

/** Where the time axis ends: with the run, if it says when that is. */
function horizon_s() {
  return Math.max(story.begun?.duration_s ?? 0, newest_s(), begins_s() + 1);
}

function larvae() {
  return story.begun?.larvae ?? [];
}

function groupOf(larva) {
  return story.begun?.groups?.[larva] ?? "";
}

function groups() {
  return [...new Set(story.begun?.groups ?? [""])];
}

function hasArena() {
  return Boolean(story.begun?.arena);
}

/** What the color of larvae means: what it is called, and the values at both ends. */
function colouring() {
  return story.begun?.colour ?? { by: "gain", stimulus: null, low: -1, high: 1 };
}

/** What a frame says of all larvae and one stimulus, in the measure that colors stand for. */
function measured(frame, stimulus) {
  return own(colouring().by === "gain" ? frame?.gain : frame?.preference, stimulus);
}

/** What a larva thinks of a stimulus at some time: told by a frame, else by its last test; null if nobody asked. */
function liking(larva, stimulus, t_s) {
  const told = measured(at(story.frames, t_s), stimulus)?.[larva];
  if (told !== null && told !== undefined) return told;
  for (let place = placeAt(story.answers, t_s); place >= 0; place -= 1) {
    const answer = story.answers[place];
    const value = answer.odor === stimulus ? answer.preference?.[larva] : null;
    if (value !== null && value !== undefined) return value;
  }
  return null;
}

/** What is given to a larva's group, as stretches of time. */
function given(larva) {
  const planned = story.begun?.timeline ?? [];
  const group = groupOf(larva);
  const its = planned.filter((stretch) => (stretch.group ?? group) === group);
  return its.length ? its : observedOnce(larva);
}

const observation = { of: null, larva: null, newest: null, stretches: [] };

/** As `observed`, worked out anew only when there is more to see. */
function observedOnce(larva) {
  const newest = story.frames.at(-1) ?? null;
  if (observation.of !== story || observation.larva !== larva || observation.newest !== newest) {
    Object.assign(observation, { of: story, larva, newest, stretches: observed(larva) });
  }
  return observation.stretches;
}

/** What was given, told by frames, where no timeline was told in advance. */
function observed(larva) {
  const stretches = [];
  let before = null;
  for (const frame of story.frames) {
    const now = givenTo(frame, larva);
    const same = stretches.length && JSON.stringify(now) === before;
    if (same) stretches.at(-1).end_s = frame.t_s;
    else if (now) {
      if (stretches.length && before !== null) stretches.at(-1).end_s = frame.t_s;
      stretches.push({ start_s: frame.t_s, end_s: frame.t_s, kind: "phase", label: "", ...now });
    }
    before = now ? JSON.stringify(now) : null;
  }
  return stretches;
}

/** Given to one larva at one moment: frames speak of all larvae at once, of each group, or of each larva. */
function givenTo(frame, larva) {
  const told = frame.given;
  return Array.isArray(told) ? (told[larva] ?? null) : (told ?? null);
}

function stretchAt(larva, t_s) {
  const stretches = given(larva);
  const now = stretches.find((stretch) => stretch.start_s <= t_s && t_s < stretch.end_s);
  return now ?? stretches.findLast((stretch) => stretch.end_s === t_s) ?? null;
}
