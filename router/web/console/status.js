// SPDX-License-Identifier: Apache-2.0
// How a call ended, as a word with a colour.
import { badge } from '../assets/parts.js';

const TONES = { settled: 'good', released: 'quiet', failed: 'bad' };

export const statusBadge = (status) => badge(status, TONES[status]);
