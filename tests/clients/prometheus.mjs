// SPDX-License-Identifier: Apache-2.0
// Reads Prometheus' text format 0.0.4 strictly: every sample belongs to a family that was announced
// before it, no family or sample comes twice, histograms grow and end in +Inf.
import assert from 'node:assert/strict';

const name = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const sampleLine = new RegExp(`^(${name})(?:\\{(.*)\\})? (-?[0-9]+(?:\\.[0-9]+)?)$`);
const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y;

function labelsOf(text = '') {
  const labels = {};
  label.lastIndex = 0;
  while (label.lastIndex < text.length) {
    const match = label.exec(text);
    assert.ok(match, `labels: ${text}`);
    assert.ok(!(match[1] in labels), `label twice: ${text}`);
    labels[match[1]] = match[2];
  }
  return labels;
}

/** Families by name: { type, samples: [{ name, labels, value }] }. */
export function parse(text) {
  assert.ok(text.endsWith('\n'));
  const families = {};
  const known = new Set();
  let helped;
  let family;
  for (const line of text.slice(0, -1).split('\n')) {
    const help = line.match(new RegExp(`^# HELP (${name}) (.+)$`));
    const type = line.match(new RegExp(`^# TYPE (${name}) (counter|gauge|histogram)$`));
    if (help) {
      [, helped] = help;
    } else if (type) {
      assert.equal(type[1], helped, 'HELP comes before TYPE');
      assert.ok(!families[helped], `${helped} twice`);
      family = families[helped] = { name: helped, type: type[2], samples: [] };
      if (family.type === 'counter') assert.match(helped, /_total$/);
    } else {
      const sample = line.match(sampleLine);
      assert.ok(sample, `not a sample: ${line}`);
      const suffix = family.type === 'histogram' ? '(_bucket|_sum|_count)' : '';
      assert.match(sample[1], new RegExp(`^${family.name}${suffix}$`), line);
      const key = `${sample[1]}{${sample[2] ?? ''}}`;
      assert.ok(!known.has(key), `${key} twice`);
      known.add(key);
      family.samples.push({ name: sample[1], labels: labelsOf(sample[2]), value: Number(sample[3]) });
    }
  }
  for (const one of Object.values(families)) if (one.type === 'histogram') checkHistogram(one);
  return families;
}

function checkHistogram(family) {
  const buckets = family.samples.filter((one) => one.name.endsWith('_bucket'));
  const count = family.samples.find((one) => one.name.endsWith('_count'));
  buckets.reduce((before, one) => {
    assert.ok(one.value >= before, `${family.name} shrinks`);
    return one.value;
  }, 0);
  assert.equal(buckets.at(-1).labels.le, '+Inf');
  assert.equal(buckets.at(-1).value, count.value);
}

/** The one value of a metric with (at least) these labels. */
export function valueOf(families, metric, labels = {}) {
  const family = families[metric] ?? families[metric.replace(/_(sum|count)$/, '')];
  assert.ok(family, `no ${metric}`);
  const found = family.samples.filter((one) => one.name === metric
    && Object.entries(labels).every(([key, value]) => one.labels[key] === value));
  return found.reduce((sum, one) => sum + one.value, 0);
}
