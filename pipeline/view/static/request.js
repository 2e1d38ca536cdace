/** Questions to the server: JSON or bytes, or a Problem. Whoever lacks a token is asked for it, then it goes on. */

import { Problem } from "./problem.js";
import { admission } from "./session.js";

async function answer(path, query, signal) {
  const parts = Object.entries(query).filter(([, value]) => value != null && value !== "");
  const url = parts.length ? `${path}?${new URLSearchParams(parts)}` : path;
  let response = await reached(url, signal);
  while (response.status === 401) {
    await admission();
    response = await reached(url, signal);
  }
  if (!response.ok) throw await Problem.of(response);
  return response;
}

async function reached(url, signal) {
  try {
    return await fetch(url, { signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, "The server cannot be reached.");
  }
}

/**
 * @param {string} path
 * @param {Record<string, any>} [query]  null and empty values are left out
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
export async function json(path, query = {}, signal) {
  return (await answer(path, query, signal)).json();
}

/** The same of bytes. */
export async function bytes(path, query = {}, signal) {
  return (await answer(path, query, signal)).arrayBuffer();
}
