"use strict";
// The two films share one clock: seconds since the reference starts, which is where the robot's film begins.
const human = document.getElementById("human"), robot = document.getElementById("robot");
const cursors = [...document.querySelectorAll(".plot[data-shift]")].map((figure) => {
  const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
  line.setAttribute("class", "cursor");
  line.setAttribute("y1", figure.dataset.top);
  line.setAttribute("y2", figure.dataset.bottom);
  line.setAttribute("visibility", "hidden");
  figure.querySelector("svg").append(line);
  return { line, at: Object.fromEntries(Object.entries(figure.dataset).map(([key, value]) => [key, Number(value)])) };
});

function point(time) {
  for (const { line, at } of cursors) {
    const share = (time + at.shift - at.first) / (at.last - at.first);
    const x = at.left + share * (at.right - at.left);
    line.setAttribute("x1", x);
    line.setAttribute("x2", x);
    line.setAttribute("visibility", share >= 0 && share <= 1 ? "visible" : "hidden");
  }
}

if (human && robot) {
  const play = document.getElementById("play"), scrub = document.getElementById("scrub");
  const clock = document.getElementById("clock"), speed = document.getElementById("speed");
  const ahead = Number(document.querySelector(".pair").dataset.ahead);
  let playing = false, time = 0, before = 0;
  const end = () => Math.max(robot.duration || 0, (human.duration || 0) + ahead) || 1;
  // Each film stands still before its beginning and after its end.
  const within = (film, at) => Math.min(Math.max(at, 0), Math.max((film.duration || 0) - 0.02, 0));
  const seek = (film, at) => { if (Math.abs(film.currentTime - at) > 0.001) film.currentTime = at; };

  function show(seeking) {
    scrub.max = end();
    scrub.value = time;
    clock.value = `${time.toFixed(2)} s`;
    point(time);
    for (const [film, at] of [[robot, within(robot, time)], [human, within(human, time - ahead)]]) {
      if (seeking || Math.abs(film.currentTime - at) > 0.12) seek(film, at);
    }
  }

  function run(now) {
    if (!playing) return;
    time += Math.min((now - before) / 1000, 0.1) * Number(speed.value);
    before = now;
    if (time >= end()) return stop(end());
    for (const film of [robot, human]) film.playbackRate = Number(speed.value);
    if (robot.paused && time < robot.duration - 0.05) robot.play();
    if (human.paused && time > ahead && time - ahead < human.duration - 0.05) human.play();
    show(false);
    requestAnimationFrame(run);
  }

  function stop(at) {
    playing = false;
    time = at;
    robot.pause();
    human.pause();
    play.textContent = "▶";
    play.setAttribute("aria-label", "Play");
    show(true);
  }

  play.addEventListener("click", () => {
    if (playing) return stop(time);
    if (time >= end() - 0.05) { time = 0; show(true); }
    playing = true;
    play.textContent = "⏸";
    play.setAttribute("aria-label", "Pause");
    before = performance.now();
    requestAnimationFrame(run);
  });
  scrub.addEventListener("input", () => stop(Number(scrub.value)));
  for (const film of [robot, human]) film.addEventListener("loadedmetadata", () => show(true));
  show(true);
}

for (const button of document.querySelectorAll(".copy")) {
  const text = button.previousElementSibling.textContent;
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", () => navigator.clipboard.writeText(text).then(() => { button.textContent = "copied"; }));
}
