// SPDX-License-Identifier: Apache-2.0
// A second upstream, written by others: aimock answers as OpenAI (Chat Completions and Responses),
// Anthropic and Google on one loopback port. provider-sim is our own reading of those formats; what
// works with both is less likely to be a mistake that we made twice. It differs from the providers
// in places: a Gemini call ends with FUNCTION_CALL, and no stream tells a class of cached tokens.
import { LLMock } from '@copilotkit/aimock';

const input = 31;
const output = 17;
/** What every answer reports, in each provider's words. */
export const usage = { uncachedInputTokens: input, cacheWrite5mTokens: 0, cacheWrite1hTokens: 0,
  cacheReadTokens: 0, outputTokens: output };
const reported = { usage: { prompt_tokens: input, completion_tokens: output, input_tokens: input,
  output_tokens: output, promptTokenCount: input, candidatesTokenCount: output } };

/** What can be asked: a part of the last user message, and the answer to it. */
export const answers = {
  text: { content: 'Deployment is healthy: Grüße, 世界 🎉.', ...reported },
  thinking: { content: 'All is well.', reasoning: 'First the regions, then the queues.', ...reported },
  call: { toolCalls: [{ name: 'get_weather', arguments: '{"city":"Tromsø"}' }], ...reported },
  result: { content: 'It is two degrees in Tromsø.', ...reported },
  busy: { error: { message: 'slow down', type: 'rate_limit_error' }, status: 429 },
  broken: { error: { message: 'out of order', type: 'api_error' }, status: 500 },
};

export class Aimock {
  /** Listens on a free port of the loopback device. */
  static async start() {
    const mock = new LLMock({ port: 0, host: '127.0.0.1', logLevel: 'silent', chunkSize: 8 });
    mock.on({ userMessage: 'call', hasToolResult: true }, answers.result);
    for (const [word, answer] of Object.entries(answers))
      if (word !== 'result') mock.on({ userMessage: word }, answer);
    await mock.start();
    return Object.assign(new Aimock(), { mock, url: mock.url });
  }

  /** Settings with which agent-store asks this upstream instead of provider-sim. */
  settings() {
    return {
      AGENT_STORE_OPENAI_BASE_URL: `${this.url}/v1`,
      AGENT_STORE_ANTHROPIC_BASE_URL: this.url,
      AGENT_STORE_GOOGLE_BASE_URL: this.url,
      AGENT_STORE_KIMI_BASE_URL: `${this.url}/v1`,
    };
  }

  /** What was asked so far: path, headers, and the body in words of Chat Completions. */
  requests() {
    return this.mock.getRequests();
  }

  stop() {
    return this.mock.stop();
  }
}
