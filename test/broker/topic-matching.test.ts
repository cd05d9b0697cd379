import assert from "node:assert/strict";
import { test } from "node:test";
import { topicMatches } from "../../src/broker/memory.ts";

test("a hash stands for any number of words, including none", () => {
  for (const key of ["", "0", "0.1.1"]) assert.ok(topicMatches("#", key), key);
  assert.ok(topicMatches("0.#", "0"));
  assert.ok(topicMatches("0.#", "0.1.1"));
  assert.ok(topicMatches("#.1", "0.0.1"));
  assert.ok(!topicMatches("0.#", "1.0"));
});

test("an asterisk stands for one word, any other word for itself", () => {
  assert.ok(topicMatches("0.*.1", "0.0.1"));
  assert.ok(!topicMatches("0.*.1", "0.1"));
  assert.ok(!topicMatches("0", "0.1"));
  assert.ok(!topicMatches("0", "01"));
});
