// The map of the page: points on a plane, coloured as chosen; a click plays the nearest point that sounds.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("map-data").textContent);
  const canvas = document.getElementById("map");
  const context = canvas.getContext("2d");
  const control = (id) => document.getElementById(id);
  const player = new Audio();
  let hovered = -1;
  let playing = -1;

  // Viridis at five places; ranks between them are mixed.
  const scale = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];
  const mix = (share) => {
    const at = Math.min(3.999, 4 * share);
    const [a, b] = [scale[Math.floor(at)], scale[Math.floor(at) + 1]];
    return `rgb(${a.map((v, i) => Math.round(v + (b[i] - v) * (at % 1))).join()})`;
  };
  // Okabe and Ito's colours first, then hues a golden angle apart.
  const few = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8a8a8a", "#b8a800"];
  const category = (i) => few[i] ?? `hsl(${(i * 137.5) % 360} 60% ${45 + (i % 3) * 10}%)`;
  const ink = () => getComputedStyle(document.body).color;

  const colourOf = (chosen, i) => {
    const value = chosen.values[i];
    if (chosen.names) return category(value);
    return value < 0 ? "#8886" : mix(value / 100);
  };

  const place = () => {
    const size = canvas.clientWidth;
    const points = data.planes[control("plane").value];
    return points.map(([x, y]) => [0.01 * size + (x / 1000) * 0.98 * size, 0.99 * size - (y / 1000) * 0.98 * size]);
  };

  const ring = ([x, y], radius, width) => {
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.strokeStyle = ink();
    context.lineWidth = width;
    context.stroke();
  };

  const draw = () => {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = canvas.height = Math.round(canvas.clientWidth * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const [points, chosen] = [place(), data.colours[control("colour").value]];
    const radius = canvas.clientWidth < 450 ? 2 : 2.8;
    points.forEach(([x, y], i) => {
      context.globalAlpha = 0.75;
      context.fillStyle = colourOf(chosen, i);
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fill();
    });
    context.globalAlpha = 1;
    data.playable.forEach((i, k) => ring(points[i], k === playing ? 9 : 5.5, k === playing || k === hovered ? 3 : 1.2));
    canvas.dataset.drawn = points.length;
  };

  const describeEnd = (value, unit) => (value === null ? "–" : `${Number(value.toPrecision(3))} ${unit}`);
  const explain = () => {
    const chosen = data.colours[control("colour").value];
    const legend = control("legend");
    legend.replaceChildren();
    if (!chosen.names) {
      const bar = document.createElement("i");
      bar.style.background = `linear-gradient(to right, ${[0, 0.25, 0.5, 0.75, 1].map(mix).join()})`;
      legend.append(describeEnd(chosen.low, ""), bar, describeEnd(chosen.high, chosen.unit), " (by rank; grey: none)");
    } else if (chosen.names.length <= 24) {
      chosen.names.forEach((name, i) => {
        const entry = document.createElement("span");
        const dot = document.createElement("b");
        dot.style.background = category(i);
        entry.append(dot, name);
        legend.append(entry);
      });
    } else {
      legend.append(`${chosen.names.length} files, a colour each: point at one to read its name`);
    }
  };

  const nearest = (event) => {
    const box = canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const points = place();
    const distances = data.playable.map((i) => Math.hypot(points[i][0] - x, points[i][1] - y));
    const best = distances.indexOf(Math.min(...distances));
    return distances[best] < 40 ? best : -1;
  };

  const tell = (k) => {
    if (k < 0) return;
    const sound = data.sounds[k];
    control("told").textContent = `${sound.file} at ${sound.time_s.toFixed(2)} s`;
  };

  const sound = (k) => {
    if (k < 0) return;
    playing = k;
    player.src = data.sounds[k][control("heard").value];
    player.play().catch(() => {});
    tell(k);
    draw();
  };

  canvas.addEventListener("click", (event) => sound(nearest(event)));
  canvas.addEventListener("mousemove", (event) => {
    const k = nearest(event);
    if (k !== hovered) {
      hovered = k;
      tell(k);
      draw();
    }
  });
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    sound((Math.max(playing, 0) + step + data.playable.length) % data.playable.length);
  });
  ["plane", "colour"].forEach((id) => control(id).addEventListener("change", () => { draw(); explain(); }));
  window.addEventListener("resize", draw);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  control("save").addEventListener("click", () => {
    const link = document.createElement("a");
    link.download = `map_${control("plane").value}_${control("colour").value}.png`;
    link.href = canvas.toDataURL("image/png");
    link.click();
  });
  draw();
  explain();
})();
