/** How long the changes of a model are kept for its readers. */
import type { RelationName } from '../ivm/catalog.ts';
import { quoteRelation, quoteText } from '../sql/quote.ts';
import { risingwave } from './risingwave.ts';

/** The id under which a node's subscription is stored. */
export function subscriptionId(uniqueId: string): string {
  return `subscription.${uniqueId}`;
}

/** What a subscription is on, and how long it keeps changes. */
export function subscriptionOf(relation: RelationName, retention: string | undefined): string {
  return `FROM ${quoteRelation(relation)} WITH (retention = ${quoteText(retention ?? risingwave.retention)})`;
}

/** A subscription's node with another retention. */
export function retaining<N extends { readonly definition: string | null }>(
  node: N,
  of: RelationName,
  retention: string | undefined,
): N & { readonly retention?: string } {
  return { ...node, definition: subscriptionOf(of, retention), retention };
}
