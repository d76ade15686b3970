/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Four functions that the static libelf and libdw of elfutils 0.190 to 0.192
 * (Debian 13) call and no package has: they live in its private libeu, which is
 * linked into the shared libraries alone. This archive stands behind both, so
 * that libraries which have them keep their own.
 *
 * A tree begins with tsearch()'s root; a lock behind that exists only
 * where libelf was configured to be thread safe, which Debian's is not.
 */
#include <search.h>
#include <stddef.h>

struct eu_tree {
	void *root;
};

void eu_search_tree_init(struct eu_tree *tree);
void eu_search_tree_fini(struct eu_tree *tree, void (*free_node)(void *));

void *eu_tsearch(const void *key, struct eu_tree *tree, int (*compare)(const void *, const void *));
void *eu_tfind(const void *key, struct eu_tree *tree, int (*compare)(const void *, const void *));

void eu_search_tree_init(struct eu_tree *tree)
{
	tree->root = NULL;
}

void eu_search_tree_fini(struct eu_tree *tree, void (*free_node)(void *))
{
	tdestroy(tree->root, free_node);
}

void *eu_tsearch(const void *key, struct eu_tree *tree, int (*compare)(const void *, const void *))
{
	return tsearch(key, &tree->root, compare);
}

void *eu_tfind(const void *key, struct eu_tree *tree, int (*compare)(const void *, const void *))
{
	return tfind(key, &tree->root, compare);
}
