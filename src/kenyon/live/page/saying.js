// What the page says in words.

/** What the chosen larva does, in a sentence. */
function larvaInWords() {
  const value = liking(chosen.larva, chosen.stimulus, player.now_s);
  const measure = colouring().by;
  const about = chosen.stimulus ?? "the odor";
  const frame = at(story.frames, player.now_s);
  const fed = frame?.on_food?.[chosen.larva] ? ", and is on food" : "";
  if (value === null) return `Nothing is known yet of what it thinks of ${about}${fed}.`;
  const share = value / (value < 0 ? -Math.abs(colouring().low || 1) : Math.abs(colouring().high || 1));
  const does = Math.abs(share) < 0.08 ? "is indifferent to" : value > 0 ? "follows" : "avoids";
  return `It ${does} ${about} (${measure} ${Number(value.toPrecision(2))})${fed}.`.replace("-", "−");
}

/** How many larvae follow the odor by now, and how many are on food. */
function countInWords() {
  const likings = larvae().map((_, larva) => liking(larva, chosen.stimulus, player.now_s)).filter((value) => value !== null);
  if (!likings.length || !chosen.stimulus) return "";
  const { low, high } = colouring();
  const follow = likings.filter((value) => value > 0.08 * Math.abs(high)).length;
  const avoid = likings.filter((value) => value < -0.08 * Math.abs(low)).length;
  const fed = (at(story.frames, player.now_s)?.on_food ?? []).filter(Boolean).length;
  const parts = [`${follow} of ${larvae().length} follow ${chosen.stimulus}`, avoid ? `${avoid} avoid it` : "", fed ? `${fed} on food` : ""];
  return parts.filter(Boolean).join(", ");
}

function factsOf(begun) {
  const count = larvae().length;
  const facts = [`${count} ${count === 1 ? "larva" : "larvae"}`, begun.memory].filter(Boolean);
  for (const [name, value] of Object.entries(begun.run ?? {})) {
    if (name !== "command" && name !== "larvae" && value !== null && value !== "") facts.push(`${name} ${value}`);
  }
  return facts.map((fact) => (fact.length > 160 ? `${fact.slice(0, 159)}…` : fact));
}

/** Say what is drawn, which differs from world to world and from memory to memory. */
function nameWorld(begun) {
  const gain = colouring().by === "gain";
  const cells = Boolean(begun.cells) || /mushroom/i.test(begun.memory ?? "");
  setText("place-title", hasArena() ? "The dish" : begun.world === "server" ? "Larvae on the server" : "Where they would go");
  setText("place-words", placeInWords(begun, gain));
  setText("curves-title", gain ? "What they have learned so far: the gain of each odor" : "What they have learned so far: their preference");
  byId("curves").setAttribute("aria-label", `${gain ? "Gain" : "Preference index"} of each larva for each odor over time`);
  byId("explained-cells").hidden = !cells;
  byId("explained-table").hidden = cells;
}

function placeInWords(begun, gain) {
  const click = "Click a larva to look into it.";
  if (hasArena()) return `Blue larvae follow the odor, orange ones turn away, gray ones do not care; a glow means food. ${click}`;
  const where = begun.world === "server" ? "Where these larvae are only their own program knows." : "There is no dish here, the circuit lives alone.";
  const measure = gain ? "its gain" : "its two output neurons";
  return `${where} Each larva stands where ${measure} would send it: to the right toward the odor, to the left away. ${click}`;
}
