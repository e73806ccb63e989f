/* Draws the charts of a page from the data beside their pictures. Every text is drawn or set as text, never as markup. */
(() => {
  "use strict";
  if (typeof Chart === "undefined") return;
  const LONGEST = 60, STEP = 60, FACTOR = 1.6, NEAR = "500px", NARROW = 450;
  const SHAPES = { dot: "circle", ring: "circle", cross: "crossRot" };
  const HINT = "Point at a mark, or tap it, to read it. Drag a box to enlarge, double-click to see all; arrow keys move.";
  const short = text => (text.length > LONGEST ? text.slice(0, LONGEST) + "…" : text);
  /* Numbers of things are shown whole, others to four digits. */
  const shown = own => {
    if (own === null) return "-";
    if (typeof own !== "number") return short(own);
    return String(Number.isSafeInteger(own) ? own : Number(own.toPrecision(4)));
  };

  function made(kind, parent, name, text) {
    const element = document.createElement(kind);
    if (name) element.className = name;
    if (text) element.textContent = text;
    parent.append(element);
    return element;
  }

  function colours() {
    const style = getComputedStyle(document.documentElement);
    const found = {};
    for (const name of ["blue", "orange", "soft", "line", "paper"])
      found[name] = style.getPropertyValue("--" + name).trim();
    return { ...found, text: getComputedStyle(document.body).color };
  }

  /* The red, green and blue of "#rgb" or "#rrggbb". */
  function parts(hex) {
    const digits = hex.length === 4 ? [...hex.slice(1)].map(one => one + one) : hex.slice(1).match(/../g);
    return digits.map(two => parseInt(two, 16));
  }

  /* Between two colours; 0 is the first, 1 the second. */
  function between(first, second, how) {
    const [from, to] = [parts(first), parts(second)];
    return `rgb(${from.map((part, at) => Math.round(part + (to[at] - part) * how)).join(" ")})`;
  }

  const faint = (hex, alpha) => `rgb(${parts(hex).join(" ")} / ${alpha})`;
  const points = layer => layer.x.map((x, at) => ({ x, y: layer.y[at] }));
  const opacity = count => Math.min(0.8, Math.max(0.15, 20 / Math.sqrt(count)));

  function marks(layer, found) {
    const colour = found[layer.colour];
    return {
      type: "scatter",
      data: points(layer),
      pointStyle: SHAPES[layer.shape],
      pointRadius: layer.shape === "dot" ? 3.5 : 6,
      pointHoverRadius: 7,
      pointHitRadius: 5,
      pointBorderWidth: layer.shape === "dot" ? 0 : 1.5,
      borderColor: layer.shape === "dot" ? colour : found.text,
      backgroundColor: layer.shape === "dot" ? faint(colour, opacity(layer.x.length)) : "transparent",
    };
  }

  function curve(layer, found) {
    const colour = found[layer.colour];
    return {
      type: "line",
      data: points(layer),
      borderColor: layer.steps ? "transparent" : colour,
      backgroundColor: layer.steps ? faint(colour, 0.35) : colour,
      borderWidth: 2,
      pointRadius: 0,
      pointStyle: layer.steps ? "rect" : "line",
      pointHitRadius: 0,
      pointHoverRadius: 0,
      stepped: layer.steps ? "before" : false,
      fill: layer.steps ? "origin" : false,
      yAxisID: layer.steps ? "right" : "y",
    };
  }

  function cells(layer, found, grid) {
    const size = axis => ({ chart }) =>
      Math.abs(chart.scales[axis].getPixelForValue(1) - chart.scales[axis].getPixelForValue(0)) + 0.5;
    const [, values] = grid.values.find(([what]) => what === layer.name);
    const most = Math.max(...values, 0) || 1;
    return {
      type: "matrix",
      data: values.map((v, at) => ({ x: at % grid.columns, y: Math.floor(at / grid.columns), v })),
      backgroundColor: values.map(v => between(found.paper, found[layer.colour], Math.max(v, 0) / most)),
      width: size("x"),
      height: size("y"),
    };
  }

  const KINDS = { marks, curve, cells };

  const line = (what, own) => `${what}: ${shown(own)}`;

  /* What is said of a mark, or of a cell of the grid. */
  function lines(layer, at, grid) {
    if (layer.kind !== "cells") return (layer.said || []).map(([what, own]) => line(what, own[at]));
    const places = [Math.floor(at / grid.columns), at % grid.columns];
    const named = grid.named.map(([what, own], which) => line(what, own[places[which]]));
    return [...named, ...grid.values.map(([what, own]) => line(what, own[at]))];
  }

  /* Marks lie over curves, and these over cells; of the same kind the last lies over all. */
  function datasets(view, found, grid) {
    const below = { marks: 0, curve: 100, cells: 200 };
    return view.layers.map((layer, at) => ({
      ...KINDS[layer.kind](layer, found, grid),
      label: short(layer.name),
      order: below[layer.kind] - at,
      lines: at => lines(layer, at, grid),
    }));
  }

  function axis(about, found, more) {
    const whole = about.whole ? { precision: 0 } : {};
    return {
      type: "linear",
      min: about.low,
      max: about.high,
      reverse: about.down,
      title: { display: true, text: short(about.title), color: found.text },
      grid: { color: found.line },
      border: { color: found.line },
      offset: false,
      ticks: { color: found.soft, maxTicksLimit: 7, maxRotation: 0, includeBounds: false, ...whole },
      ...more,
    };
  }

  function axes(view, found) {
    const scales = { x: axis(view.x, found), y: axis(view.y, found) };
    const steps = view.layers.find(layer => layer.steps);
    if (steps) {
      const about = { title: steps.name, low: 0, high: 1.3 * Math.max(...steps.y) || 1, down: false };
      scales.right = axis(about, found, { position: "right", grid: { drawOnChartArea: false } });
    }
    return scales;
  }

  function configuration(view, grid) {
    const found = colours();
    const original = { min: "original", max: "original" };
    return {
      data: { datasets: datasets(view, found, grid) },
      options: {
        animation: false,
        maintainAspectRatio: false,
        interaction: { mode: "nearest", intersect: true },
        scales: axes(view, found),
        plugins: {
          legend: {
            display: view.layers.length > 1,
            position: "bottom",
            labels: {
              color: found.text,
              usePointStyle: true,
              pointStyleWidth: 18,
              filter: (item, { datasets }) => datasets[item.datasetIndex].type !== "matrix",
            },
          },
          tooltip: {
            displayColors: false,
            filter: (_item, index) => index === 0,
            callbacks: {
              title: () => "",
              label: item => item.dataset.lines(item.dataIndex),
            },
          },
          zoom: {
            limits: { x: original, y: original },
            zoom: {
              mode: "xy",
              drag: { enabled: true, threshold: 6, backgroundColor: faint(found.blue, 0.2) },
              wheel: { enabled: true, modifierKey: "ctrl" },
            },
          },
        },
      },
    };
  }

  /* The numbers of a raster: two hexadecimal digits each, from low to high. */
  const numbers = (low, high, hex) => hex.match(/../g).map(two => low + ((high - low) * parseInt(two, 16)) / 255);

  function live(figure) {
    const data = JSON.parse(figure.querySelector("script").textContent);
    if (data.grid) data.grid.values = data.grid.values.map(([what, ...raster]) => [what, numbers(...raster)]);
    const picture = figure.querySelector("img");
    if (data.title) made("strong", figure, "title", data.title);
    const tools = made("div", figure, "tools"), box = made("div", figure, "canvas"), canvas = made("canvas", box);
    const scale = made("div", figure, "scale small");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", picture.alt);
    canvas.tabIndex = 0;
    let chart = null, at = 0, near = null;

    const shape = view => { box.style.aspectRatio = view.square ? "1" : box.clientWidth < NARROW ? "1.15" : "1.5"; };

    function draw() {
      const view = data.views[at];
      shape(view);
      if (chart) chart.destroy();
      near = null;
      explain(view.layers.find(layer => layer.kind === "cells"));
      chart = new Chart(canvas, configuration(view, data.grid));
    }

    /* Which colour stands for how much. */
    function explain(layer) {
      scale.replaceChildren();
      if (!layer) return;
      const found = colours(), [, values] = data.grid.values.find(([what]) => what === layer.name);
      made("span", scale, "", `${short(layer.name)}: 0`);
      made("span", scale, "colours").style.background = `linear-gradient(to right, ${found.paper}, ${found[layer.colour]})`;
      made("span", scale, "", shown(Math.max(...values)));
    }

    const middle = () => ({ x: (chart.chartArea.left + chart.chartArea.right) / 2, y: (chart.chartArea.top + chart.chartArea.bottom) / 2 });
    const zoom = factor => chart.zoom({ x: factor, y: factor, focalPoint: near || middle() });
    const ACTIONS = {
      "+": () => zoom(FACTOR),
      "-": () => zoom(1 / FACTOR),
      "0": () => chart.resetZoom(),
      ArrowLeft: () => chart.pan({ x: STEP }),
      ArrowRight: () => chart.pan({ x: -STEP }),
      ArrowUp: () => chart.pan({ y: STEP }),
      ArrowDown: () => chart.pan({ y: -STEP }),
    };

    function button(text, said, act) {
      const element = made("button", tools, "", text);
      element.type = "button";
      if (said) element.title = said;
      element.addEventListener("click", () => chart && act(element));
      return element;
    }

    if (data.views.length > 1) {
      const choices = data.views.map((view, index) =>
        button(short(view.title), "", () => {
          at = index;
          choices.forEach((choice, which) => choice.setAttribute("aria-pressed", String(which === at)));
          draw();
        }));
      choices.forEach((choice, which) => choice.setAttribute("aria-pressed", String(which === at)));
    }
    button("+", "enlarge around what was pointed at last", ACTIONS["+"]);
    button("−", "see more", ACTIONS["-"]);
    button("all", "see all", ACTIONS["0"]);
    canvas.addEventListener("click", event => { near = { x: event.offsetX, y: event.offsetY }; });
    canvas.addEventListener("dblclick", () => chart.resetZoom());
    canvas.addEventListener("keydown", event => {
      if (!chart || !ACTIONS[event.key]) return;
      event.preventDefault();
      ACTIONS[event.key]();
    });
    made("figcaption", figure, "small", data.said ? `${data.said} ${HINT}` : HINT);
    figure.classList.add("drawn");
    shape(data.views[0]);

    new IntersectionObserver((seen, watch) => {
      if (!seen.some(entry => entry.isIntersecting)) return;
      watch.disconnect();
      draw();
    }, { rootMargin: NEAR }).observe(box);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => chart && draw());
  }

  document.querySelectorAll("figure.live").forEach(live);
})();
