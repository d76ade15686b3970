/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two functions that the static libelf of elfutils 0.190 to 0.192 (Debian 13)
 * calls and no package has: they live in its private libeu, which is linked
 * into the shared library alone. This archive stands behind -lelf, so that a
 * libelf which has them keeps its own.
 *
 * The tree holds raw chunks of a file (elf_getdata_rawchunk), which libbpf never
 * asks for. It begins with tsearch()'s root; a lock behind that exists only
 * where libelf was configured to be thread safe, which Debian's is not.
 */
#include <search.h>
#include <stddef.h>

struct eu_tree {
	void *root;
};

void eu_search_tree_init(struct eu_tree *tree);
void eu_search_tree_fini(struct eu_tree *tree, void (*free_node)(void *));

void eu_search_tree_init(struct eu_tree *tree)
{
	tree->root = NULL;
}

void eu_search_tree_fini(struct eu_tree *tree, void (*free_node)(void *))
{
	tdestroy(tree->root, free_node);
}
