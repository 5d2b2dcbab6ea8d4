'use strict';
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const datasets = {};
  for (const [name, { fields, rows }] of Object.entries(data.datasets))
    datasets[name] = rows.map((row) => Object.fromEntries(fields.map((field, i) => [field, row[i]]).filter(([, value]) => value !== null)));
  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  const views = (window.godwitViews = {}); // by chart, for whoever drives the page

  // Okabe and Ito's colours, which people who see fewer colours tell apart too; black is left to the text.
  const nominal = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#b5a800', '#888888'];

  function config() {
    const fg = dark.matches ? '#ececec' : '#1b1b1b', grid = dark.matches ? '#3c3e42' : '#dddddd';
    return {
      background: 'transparent', font: 'system-ui, sans-serif', view: { stroke: grid },
      axis: { labelColor: fg, titleColor: fg, gridColor: grid, domainColor: grid, tickColor: grid, labelFontSize: 12,
        labelSeparation: 6, titleFontSize: 12, labelLimit: narrow() ? 150 : 240 },
      legend: { labelColor: fg, titleColor: fg, orient: 'bottom', labelLimit: 260, symbolOpacity: 1,
        columns: narrow() ? 1 : 4 },
      header: { labelColor: fg, titleColor: fg, labelFontSize: 13 }, title: { color: fg },
      text: { color: fg }, rule: { color: fg }, range: { category: nominal, heatmap: { scheme: 'viridis' } },
    };
  }

  function narrow() { return document.documentElement.clientWidth < 640; }

  // A facet cannot fill its container by itself: so many side by side, each of what that leaves.
  function fitted(spec, element) {
    spec = structuredClone(spec);
    spec.datasets = datasets;
    if (!spec.facet) return spec;
    const columns = narrow() ? 1 : Math.min(spec.columns || 3, 3);
    spec.columns = columns;
    spec.spec.width = Math.max(180, Math.floor((element.clientWidth - 90) / columns) - 40);
    return spec;
  }

  async function draw(id) {
    const element = document.getElementById(id);
    if (views[id]) views[id].finalize();
    const result = await vegaEmbed(element, fitted(data.charts[id], element),
      { ast: true, actions: { export: true, source: false, compiled: false, editor: false }, renderer: 'svg', logLevel: vega.Error,
        config: config(), tooltip: { theme: dark.matches ? 'dark' : 'light' } });
    views[id] = result.view;
  }

  async function drawAll() {
    for (const id of Object.keys(data.charts)) await draw(id);
    document.documentElement.dataset.drawn = 'yes';
  }

  function cells(row) { return [...row.children].map((cell) => cell.textContent); }

  function sortBy(table, header, column) {
    const ascending = header.getAttribute('aria-sort') !== 'ascending';
    for (const each of table.tHead.rows[0].children) each.setAttribute('aria-sort', 'none');
    header.setAttribute('aria-sort', ascending ? 'ascending' : 'descending');
    const order = new Intl.Collator('en', { numeric: true });
    const compare = (a, b) => {
      const x = a.children[column].textContent, y = b.children[column].textContent;
      const difference = x !== '' && y !== '' && isFinite(x) && isFinite(y) ? x - y : order.compare(x, y);
      return ascending ? difference : -difference;
    };
    table.tBodies[0].append(...[...table.tBodies[0].rows].sort(compare));
  }

  function csv(table) {
    const cell = (text) => (/[",\r\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text);
    return [...table.rows].map((row) => cells(row).map(cell).join(',')).join('\n') + '\n';
  }

  async function copy(button) {
    const text = csv(button.closest('details').querySelector('table'));
    try {
      await navigator.clipboard.writeText(text);
    } catch { // a page from a file may lack the right to
      const area = document.body.appendChild(document.createElement('textarea'));
      area.value = text;
      area.select();
      document.execCommand('copy');
      area.remove();
    }
    button.textContent = 'Copied';
    setTimeout(() => (button.textContent = 'Copy as CSV'), 1500);
  }

  for (const table of document.querySelectorAll('table'))
    [...table.tHead.rows[0].children].forEach((header, column) =>
      header.firstElementChild.addEventListener('click', () => sortBy(table, header, column)));
  for (const button of document.querySelectorAll('button.copy')) button.addEventListener('click', () => copy(button));

  let width = document.documentElement.clientWidth, waiting = 0;
  window.addEventListener('resize', () => {
    if (width === document.documentElement.clientWidth) return;
    width = document.documentElement.clientWidth;
    clearTimeout(waiting);
    waiting = setTimeout(drawAll, 200);
  });
  dark.addEventListener('change', drawAll);
  drawAll();
})();
