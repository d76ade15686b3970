// SPDX-License-Identifier: GPL-2.0
/*
 * monotone: taking evidence away may move a verdict only towards unknown.
 *
 *	monotone [-k KIND] [-x KIND,KIND] [-o NAME] [-n N [-s SEED]] [-t N] [-l FILE] [-v FILE] DIR
 *	monotone -r SPEC [-w OUT] DIR
 *
 * DIR holds recorded updates: NAME.pre and NAME.post, some of either alone. Of
 * each the verdicts are known that diff, check and gate give on the whole of
 * it. Then something is taken away (take.h), and the verdicts on what is left
 * must obey the law (verdict.c). No violation is known and excused.
 *
 * The walk is fixed: so many places and amounts of each kind in each trace. With
 * -n it takes N steps at random, on one side or both. A test is a kind, an
 * update, and what was asked; it fails when one step of it breaks the law. Of
 * -t takes one step in N of the fixed walk, -l writes what became of each test,
 * and -v the verdicts on the whole of each update (0 steps with -t 0). Of
 * all violations of one kind, law and rule the smallest is shown, made as small
 * as it gets, with the command that shows it again (-r) or writes the files (-w).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "take.h"
#include "verdict.h"

#define PLACES	6	/* of each kind in each trace that the fixed walk visits */
#define AMOUNTS	3	/* at each of them */
#define SHRINKS	300	/* steps to make one example smaller */
#define UNLIKE	40	/* updates that each is mixed with */

struct source {
	const char *name;
	struct tale *tale[2];
	int fd[2];
	struct gate_files files;
	struct verdict whole[ASKED_MAX];
	bool asks[ASKED_MAX];
	uint8_t failed[TAKE_MAX][ASKED_MAX];	/* 0 not tried, 1 obeyed, 2 broken */
};

/* One step: what is taken from one side, or from both. */
struct step {
	const struct source *of;
	struct take take[2];
	int nr;
};

/* All violations of one kind, law and rule. */
struct group {
	enum take_kind kind;
	enum law law;
	int rule;
	uint64_t nr;
	struct step step;	/* the smallest */
	enum asked asked;
	size_t weight;
	char title[160];
};

static struct source *sources;
static size_t nr_sources;
static struct group *groups;
static size_t nr_groups;
static uint64_t tries;
static int scratch[2];
static char work[] = "/tmp/monotone.XXXXXX";
static const char *self = "monotone", *dir, *list_path, *except = "";
static uint32_t one_in = 1;
static const struct step *now;	/* should the judge die of it */

/* ---- steps in words ---- */

static void step__print(const struct step *s, FILE *to)
{
	fprintf(to, "%s ", s->of->name);
	for (int i = 0; i < s->nr; i++) {
		if (i)
			fputc('+', to);
		take__print(&s->take[i], to);
	}
}

static void step__explain(const struct step *s, FILE *to)
{
	for (int i = 0; i < s->nr; i++) {
		const struct take *k = &s->take[i];

		fprintf(to, "%s%s: ", i ? "; " : "", k->side ? "POST" : "PRE");
		if (k->kind == TAKE_OTHER)
			fprintf(to, "that of %s", sources[k->place % nr_sources].name);
		else
			take__explain(k, s->of->tale[k->side], to);
	}
}

static struct source *source_named(const char *name, size_t len)
{
	for (size_t i = 0; i < nr_sources; i++) {
		if (strlen(sources[i].name) == len && !strncmp(sources[i].name, name, len))
			return &sources[i];
	}
	return NULL;
}

static void step__parse(struct step *s, const char *spec)
{
	const char *takes = strchr(spec, ' '), *more;

	memset(s, 0, sizeof(*s));
	s->of = takes ? source_named(spec, (size_t)(takes - spec)) : NULL;
	if (!s->of)
		die("no such update: %s", spec);
	for (takes++; takes && s->nr < 2; takes = more ? more + 1 : NULL) {
		char one[8192];

		more = strchr(takes, '+');
		snprintf(one, sizeof(one), "%.*s", more ? (int)(more - takes) : (int)strlen(takes), takes);
		if (!take__parse(&s->take[s->nr++], one) || !s->of->tale[s->take[s->nr - 1].side])
			die("not a step: %s", spec);
	}
}

static void died(int sig)
{
	printf("FAIL the judge died of signal %d in this step: ", sig);
	if (now)
		step__print(now, stdout);
	printf("\n0 passed, 1 failed\n");
	fflush(stdout);
	_exit(1);
}

/* ---- one step ---- */

static bool takes(const struct step *s, enum take_kind k)
{
	return s->take[0].kind == k;
}

static struct leeway leeway_of(const struct step *s, enum asked a)
{
	struct leeway l = { .other = takes(s, TAKE_OTHER), .alone = takes(s, TAKE_ALONE), .over = true, .nothing = a == CHECK_PRE || a == CHECK_POST };

	for (int i = 0; i < s->nr; i++) {
		const struct take *k = &s->take[i];
		bool ended = k->kind == TAKE_ENDED;

		l.unheard |= k->kind == TAKE_STARTED;
		l.shorter |= ended || k->kind == TAKE_STARTED || k->kind == TAKE_ALONE;
		l.over &= (ended || k->kind == TAKE_STARTED) && !take__of_luo(k, s->of->tale[k->side]);
		l.nothing &= (ended || k->kind == TAKE_STARTED) && take__all_of_luo(k, s->of->tale[k->side]);
	}
	l.unheard &= verdict__only_waiting(&s->of->whole[DIFF]);
	return l;
}

/* What is left, as two files. */
static void lay_out(const struct step *s, int fd[2])
{
	fd[0] = s->of->fd[0];
	fd[1] = s->of->fd[1];
	for (int i = 0; i < s->nr; i++) {
		const struct take *k = &s->take[i];

		if (k->kind == TAKE_OTHER) {
			fd[k->side] = sources[k->place % nr_sources].fd[k->side];
			continue;
		}
		take__apply(k, s->of->tale[k->side], scratch[k->side]);
		fd[k->side] = scratch[k->side];
	}
}

/* Whether question A is one about what this step takes something from. */
static bool concerns(const struct step *s, enum asked a)
{
	bool sides[2] = { false, false };

	for (int i = 0; i < s->nr; i++)
		sides[s->take[i].side] = true;
	if (takes(s, TAKE_ALONE))
		return a == (s->take[0].side ? CHECK_POST : CHECK_PRE) && s->of->asks[DIFF];
	if (takes(s, TAKE_OTHER))
		return a == DIFF || a == GATE;
	if (a == CHECK_PRE || a == CHECK_POST)
		return sides[a == CHECK_POST] && s->of->asks[a];
	return s->of->asks[a];
}

/* What diff says of the files that the gate is asked about. */
static bool diff_is_clean(const int fd[2])
{
	struct verdict v;
	bool clean;

	verdict__of(DIFF, fd[0], fd[1], NULL, &v);
	clean = v.exit == 0;
	verdict__clear(&v);
	return clean;
}

static size_t ask(const struct step *s, enum asked a, const int fd[2], struct verdict *less, struct breach *out)
{
	struct leeway l = leeway_of(s, a);
	const struct verdict *whole = &s->of->whole[takes(s, TAKE_ALONE) ? DIFF : a];

	now = s;
	verdict__of(a, fd[0], fd[1], &s->of->files, less);
	now = NULL;
	tries++;
	for (int side = 0; side < 2 && l.other && less->nr; side++) {
		struct verdict alone;

		verdict__of(side ? CHECK_POST : CHECK_PRE, fd[0], fd[1], NULL, &alone);
		verdict__without(less, &alone);
		verdict__clear(&alone);
	}
	l.demands = (a == GATE_KNOWN || a == GATE_NEW) && less->exit == 1 && !diff_is_clean(fd);
	return law__breaches(whole, less, l, out);
}

static size_t weight_of(const struct step *s)
{
	size_t w = 0;

	for (int i = 0; i < s->nr; i++)
		w += (s->take[i].nr ? s->take[i].nr : s->take[i].amount) * 100000 + (s->of->tale[s->take[i].side] ? s->of->tale[s->take[i].side]->nr_ev : 0);
	return w;
}

/* At once, for a long walk; the smallest of its kind comes at the end. */
static void note_first(const struct step *s, enum asked a, const struct breach *b)
{
	printf("broken: %s: %s: %s: %s: %s -r '", take_name(s->take[0].kind), asked_name(a), rule_name(b->rule), law_text(b->law), self);
	step__print(s, stdout);
	printf("' %s\n", dir);
	fflush(stdout);
}

static void note(const struct step *s, enum asked a, const struct breach *b)
{
	size_t i = 0, weight = weight_of(s);

	while (i < nr_groups && !(groups[i].kind == s->take[0].kind && groups[i].law == b->law && groups[i].rule == b->rule))
		i++;
	if (i == nr_groups) {
		groups = realloc(groups, ++nr_groups * sizeof(*groups));
		if (!groups)
			die("out of memory");
		groups[i] = (struct group){ .kind = s->take[0].kind, .law = b->law, .rule = b->rule, .weight = SIZE_MAX };
		note_first(s, a, b);
	}
	groups[i].nr++;
	if (weight >= groups[i].weight)
		return;
	groups[i].step = *s;
	groups[i].asked = a;
	groups[i].weight = weight;
	snprintf(groups[i].title, sizeof(groups[i].title), "%s", b->title);
}

/* The gate reads the same judgement: one of its ways at each step will do. */
static void try_step(struct step *s)
{
	struct source *of = (struct source *)s->of;
	struct breach out[BREACHES_MAX];
	struct verdict less;
	int fd[2];

	lay_out(s, fd);
	for (int a = 0; a < ASKED_MAX; a++) {
		uint8_t *test = &of->failed[s->take[0].kind][a];
		size_t nr;

		if (!concerns(s, (enum asked)a) || (a >= GATE && !takes(s, TAKE_OTHER) && (uint64_t)(a - GATE) != tries % 4))
			continue;
		nr = ask(s, (enum asked)a, fd, &less, out);
		for (size_t i = 0; i < nr; i++)
			note(s, (enum asked)a, &out[i]);
		if (nr || !*test)
			*test = nr ? 2 : 1;
		verdict__clear(&less);
	}
}

/* ---- smaller ---- */

static bool still(const struct step *s, const struct group *g)
{
	struct breach out[BREACHES_MAX];
	struct verdict less;
	bool hit = false;
	int fd[2];
	size_t nr;

	lay_out(s, fd);
	nr = ask(s, g->asked, fd, &less, out);
	for (size_t i = 0; i < nr; i++)
		hit |= out[i].law == g->law && out[i].rule == g->rule;
	verdict__clear(&less);
	return hit;
}

/* Gives back what is not needed: halves first, single records at last. */
static void shrink_list(struct group *g, struct take *k, int *left)
{
	for (uint32_t piece = k->nr / 2 ? k->nr / 2 : 1; k->nr > 1 && *left > 0;) {
		bool less = false;

		for (uint32_t at = 0; at < k->nr && k->nr > 1 && (*left)-- > 0;) {
			uint32_t n = at + piece > k->nr ? k->nr - at : piece;
			struct take old = *k;

			memmove(k->list + at, k->list + at + n, (k->nr - at - n) * sizeof(*k->list));
			k->nr -= n;
			if (k->nr && still(&g->step, g)) {
				less = true;
			} else {
				*k = old;
				at += n;
			}
		}
		if (piece == 1 && !less)
			return;
		piece = piece > 1 ? piece / 2 : 1;
	}
}

/* The least amount from below: verdicts are no steady function of it, so it is walked, not halved. */
static void shrink_amount(struct group *g, struct take *k, int *left)
{
	uint32_t worst = k->amount, stride = worst / (uint32_t)*left + 1;

	for (k->amount = 1; k->amount < worst && (*left)-- > 0; k->amount += stride) {
		if (still(&g->step, g))
			return;
	}
	k->amount = worst;
}

static void shrink(struct group *g)
{
	struct step one = g->step;
	int left = SHRINKS;

	for (int i = 0; i < 2 && g->step.nr == 2; i++) {
		one = g->step;
		one.take[0] = g->step.take[i];
		one.nr = 1;
		if (concerns(&one, g->asked) && one.take[0].kind == g->kind && still(&one, g))
			g->step = one;
	}
	for (int i = 0; i < g->step.nr; i++) {
		if (g->step.take[i].nr)
			shrink_list(g, &g->step.take[i], &left);
		else if (g->kind != TAKE_OTHER && g->kind != TAKE_ALONE)
			shrink_amount(g, &g->step.take[i], &left);
	}
}

/* ---- what is told ---- */

static void tell(struct group *g)
{
	struct breach out[BREACHES_MAX];
	struct verdict less;
	const struct verdict *whole = &g->step.of->whole[g->kind == TAKE_ALONE ? DIFF : g->asked];
	int fd[2];

	shrink(g);
	lay_out(&g->step, fd);
	ask(&g->step, g->asked, fd, &less, out);
	printf("FAIL %s: %s: %s (%llu times)\n", take_name(g->kind), rule_name(g->rule), law_text(g->law), (unsigned long long)g->nr);
	printf("     %s of %s; ", asked_name(g->asked), g->step.of->name);
	step__explain(&g->step, stdout);
	printf("\n     before: %s (exit %d)", exit_name(whole->exit), whole->exit);
	if (g->rule >= 0 && whole->told)
		printf(", %s", status_name(whole->status[g->rule]));
	printf("; after: %s (exit %d)", exit_name(less.exit), less.exit);
	if (g->rule >= 0 && less.told)
		printf(", %s", status_name(less.status[g->rule]));
	printf("%s%s\n     %s -r '", *g->title ? ": " : "", g->title, self);
	step__print(&g->step, stdout);
	printf("' %s\n", dir);
	verdict__clear(&less);
}

static int by_kind(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->kind != y->kind)
		return (int)x->kind - (int)y->kind;
	if (x->law != y->law)
		return (int)x->law - (int)y->law;
	return x->rule - y->rule;
}

static void list_tests(void)
{
	FILE *f = list_path ? fopen(list_path, "we") : NULL;

	if (list_path && !f)
		die("%s: %s", list_path, strerror(errno));
	for (size_t i = 0; f && i < nr_sources; i++) {
		for (int k = 0; k < TAKE_MAX; k++) {
			for (int a = 0; a < ASKED_MAX; a++) {
				if (sources[i].failed[k][a])
					fprintf(f, "%s %s %s, %s\n", sources[i].failed[k][a] == 2 ? "not_ok" : "ok", take_name(k), sources[i].name, asked_name(a));
			}
		}
	}
	if (f && fclose(f))
		die("%s: %s", list_path, strerror(errno));
}

static void table_row(int k, uint64_t *passed, uint64_t *failed)
{
	uint64_t ok = 0, bad = 0, breaches = 0;

	for (size_t i = 0; i < nr_sources; i++) {
		for (int a = 0; a < ASKED_MAX; a++) {
			ok += sources[i].failed[k][a] == 1;
			bad += sources[i].failed[k][a] == 2;
		}
	}
	for (size_t i = 0; i < nr_groups; i++)
		breaches += groups[i].kind == (enum take_kind)k ? groups[i].nr : 0;
	if (ok + bad)
		printf("%-16s %6llu tests, %5llu failed, %7llu violations\n", take_name(k), (unsigned long long)(ok + bad), (unsigned long long)bad,
		       (unsigned long long)breaches);
	*passed += ok;
	*failed += bad;
}

static int tell_all(void)
{
	uint64_t passed = 0, failed = 0, walked = tries;

	if (nr_groups)
		qsort(groups, nr_groups, sizeof(*groups), by_kind);
	for (size_t i = 0; i < nr_groups; i++)
		tell(&groups[i]);
	list_tests();
	for (int k = 0; k < TAKE_MAX; k++)
		table_row(k, &passed, &failed);
	printf("%llu verdicts on %zu updates\n", (unsigned long long)walked, nr_sources);
	printf("%llu passed, %llu failed\n", (unsigned long long)passed, (unsigned long long)failed);
	return failed || !passed;
}

/* ---- sources ---- */

static int memfd(void)
{
	int fd = memfd_create("trace", MFD_CLOEXEC);

	if (fd < 0)
		die("memfd: %s", strerror(errno));
	return fd;
}

static void ask_whole(struct source *s, const int fd[2], struct verdict *v)
{
	for (int a = DIFF; a <= CHECK_POST; a++) {
		bool both = s->tale[0] && s->tale[1];

		if (a == DIFF ? both : s->tale[a == CHECK_POST] != NULL)
			verdict__of((enum asked)a, fd[0], fd[1], NULL, &v[a]);
		else
			memset(&v[a], 0, sizeof(v[a]));
	}
}

/* Texts become one block: a recorder writes many. */
static void many_blocks(struct tale *t)
{
	bool one = true;

	for (size_t i = 1; i < t->nr_ev; i++)
		one &= !t->ev[i].block;
	for (size_t i = 0; i < t->nr_ev && one; i++)
		t->ev[i].block = i % 8 == 0;
}

/* What a draft with nothing taken says must be what the file says: else the trace is taken as bytes only. */
static void prove_copies(struct source *s)
{
	struct verdict copy[ASKED_MAX];
	bool same = true;
	int fd[2] = { s->fd[0], s->fd[1] };

	for (int i = 0; i < 2; i++) {
		struct draft d;

		if (!s->tale[i] || !s->tale[i]->true_copy)
			continue;
		many_blocks(s->tale[i]);
		draft__begin(&d, s->tale[i]);
		fd[i] = memfd();
		draft__write(&d, fd[i]);
		draft__free(&d);
	}
	ask_whole(s, fd, copy);
	for (int a = DIFF; a <= CHECK_POST; a++) {
		same &= verdict__same(&s->whole[a], &copy[a]);
		verdict__clear(&copy[a]);
	}
	if (!same)
		printf("%s: written again it says something else: only bytes are taken from it\n", s->name);
	for (int i = 0; i < 2; i++) {
		struct tale *t = s->tale[i];
		bool is_text = t && !strncmp(s->name, "golden/", 7);

		if (t && !same)
			t->true_copy = false;
		if (fd[i] == s->fd[i])
			continue;
		if (!same || !is_text) {
			close(fd[i]);
			continue;
		}
		/* Of a text the copy is the whole evidence: it has the blocks and the tables that a recorder writes. */
		close(s->fd[i]);
		s->fd[i] = fd[i];
		t->size = (size_t)lseek(fd[i], 0, SEEK_END);
		t->bytes = keep(t->size);
		if (pread(fd[i], t->bytes, t->size, 0) != (ssize_t)t->size)
			die("memfd: %s", strerror(errno));
	}
}

static void ask_gate(struct source *s)
{
	char path[128];
	static const char *policy;

	if (!policy) {
		snprintf(path, sizeof(path), "%s/policy", work);
		policy = keep_str(path);
		close(open(policy, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	}
	s->files.policy = policy;
	snprintf(path, sizeof(path), "%s/known.%zu", work, (size_t)(s - sources));
	s->files.known = keep_str(path);
	s->asks[GATE_KNOWN] = verdict__baseline(s->fd[0], s->fd[1], path, true);
	snprintf(path, sizeof(path), "%s/fresh.%zu", work, (size_t)(s - sources));
	s->files.fresh = keep_str(path);
	s->asks[GATE_NEW] = s->whole[DIFF].exit == 1 && verdict__baseline(s->fd[0], s->fd[1], path, false);
	s->asks[GATE] = true;
	for (int a = GATE; a < ASKED_MAX; a++) {
		if (s->asks[a])
			verdict__of((enum asked)a, s->fd[0], s->fd[1], &s->files, &s->whole[a]);
	}
}

static void learn(struct source *s)
{
	for (int i = 0; i < 2; i++) {
		s->fd[i] = memfd();
		if (s->tale[i])
			bytes__write(s->tale[i]->bytes, s->tale[i]->size, s->fd[i]);
	}
	ask_whole(s, s->fd, s->whole);
	prove_copies(s);
	/* What the command refuses is no verdict to start from. */
	s->asks[DIFF] = s->tale[0] && s->tale[1] && s->whole[DIFF].told;
	s->asks[CHECK_PRE] = s->tale[0] && s->whole[CHECK_PRE].told;
	s->asks[CHECK_POST] = s->tale[1] && s->whole[CHECK_POST].told;
	if (s->asks[DIFF])
		ask_gate(s);
}

static int by_name(const void *a, const void *b)
{
	const struct source *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void add_source(const char *path, const char *name, int side)
{
	struct source *s = source_named(name, strlen(name));

	if (!s) {
		sources = realloc(sources, (nr_sources + 1) * sizeof(*sources));
		if (!sources)
			die("out of memory");
		s = &sources[nr_sources++];
		memset(s, 0, sizeof(*s));
		s->name = keep_str(name);
	}
	s->tale[side] = tale__read(path, s->name);
}

static void find_sources(const char *sub)
{
	char path[4096], name[512];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "%s/%s", dir, sub);
	d = opendir(path);
	if (!d)
		die("%s: %s", path, strerror(errno));
	while ((e = readdir(d))) {
		char *dot = strrchr(e->d_name, '.');

		if (!dot || (strcmp(dot, ".pre") && strcmp(dot, ".post")))
			continue;
		snprintf(path, sizeof(path), "%s/%s/%s", dir, sub, e->d_name);
		snprintf(name, sizeof(name), "%s/%.*s", sub, (int)(dot - e->d_name), e->d_name);
		add_source(path, name, !strcmp(dot, ".post"));
	}
	closedir(d);
}

/* ---- walks ---- */

static uint64_t hash(const char *s)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	while (*s)
		h = (h ^ (unsigned char)*s++) * 0x100000001b3ULL;
	return h;
}

/* Seconds of the wall clock at which the recording of T began; false where it does not say. */
static bool began(const struct tale *t, int64_t *seconds)
{
	for (size_t i = 0; i < t->nr_meta; i++) {
		struct tm tm = { 0 };

		if (strcmp(t->meta[i].key, "started") || !strptime(t->meta[i].value, "%Y-%m-%dT%H:%M:%SZ", &tm))
			continue;
		*seconds = timegm(&tm);
		return true;
	}
	return false;
}

/* The clocks say that B's kernel may have been started by A's: the recordings were made one after the other, of agents that do the same. */
static bool in_a_row(const struct source *a, const struct source *b)
{
	const struct tale *pre = a->tale[0], *post = b->tale[1];
	int64_t from, to, s;

	if (!pre || !post || !pre->nr_ev || !post->nr_ev || !began(pre, &from) || !began(post, &to))
		return true;
	s = to - (int64_t)(post->ev[0].stamp.ts_ns / 1000000000) - from -
	    (int64_t)((pre->ev[pre->nr_ev - 1].stamp.ts_ns - pre->ev[0].stamp.ts_ns) / 1000000000);
	return s > -32 && s < 122;
}

/*
 * Each recorded one is an update of its own. The golden texts are all of one, and of no
 * machine and no time: with the same names of sessions and tokens nothing tells such a
 * half from one whose data changed on the way, which is a bug to be found.
 */
static bool unlike(const struct source *a, const struct source *b)
{
	return a != b && strncmp(a->name, "golden/", 7) && strncmp(b->name, "golden/", 7) && !in_a_row(a, b);
}

static struct random sample;	/* of each update and kind by itself: what is added elsewhere does not move it */

/* Whether the thinned walk takes this step. */
static bool is_walked(void)
{
	return one_in && !random__below(&sample, one_in);
}

static void mix(struct source *s, struct random *r, uint32_t want)
{
	uint32_t first = random__below(r, (uint32_t)nr_sources), nr = 0;

	if (!s->tale[0])
		return;
	for (size_t i = 0; i < nr_sources && nr < want; i++) {
		uint32_t other = (uint32_t)((first + i) % nr_sources);
		struct step step = { .of = s, .nr = 1, .take[0] = { .kind = TAKE_OTHER, .side = 1, .place = other, .amount = 1 } };

		if (!unlike(s, &sources[other]) || !sources[other].tale[1])
			continue;
		nr++;
		if (is_walked())
			try_step(&step);
	}
}

/* Spread over [0, n), a little shifted from trace to trace, each once. */
static uint32_t spread(uint32_t i, uint32_t of, uint32_t n, struct random *r)
{
	uint32_t from = (uint32_t)((uint64_t)i * n / of), to = (uint32_t)((uint64_t)(i + 1) * n / of);

	return from + random__below(r, to - from ? to - from : 1);
}

static void walk_places(struct source *s, enum take_kind k, int side, struct random *r)
{
	const struct tale *t = s->tale[side];
	uint32_t places = take__places(k, t), nr = places < PLACES ? places : PLACES;
	/* Where there is one place, all is in the amount. */
	uint32_t per = places == 1 ? PLACES * AMOUNTS : AMOUNTS;

	for (uint32_t i = 0; i < nr; i++) {
		struct step step = { .of = s, .nr = 1, .take[0] = { .kind = k, .side = side, .place = spread(i, nr, places, r) } };
		uint32_t amounts = take__amounts(k, t, step.take[0].place), n = amounts < per ? amounts : per;

		for (uint32_t a = 0; a < n; a++) {
			step.take[0].amount = 1 + spread(a, n, amounts, r);
			take__choose(&step.take[0], t, r);
			if (is_walked() && (step.take[0].nr || !take__has_list(k)))
				try_step(&step);
		}
	}
}

static void walk(int only_kind, const char *only)
{
	for (size_t i = 0; i < nr_sources; i++) {
		struct source *s = &sources[i];

		if (only && !strstr(s->name, only))
			continue;
		for (int k = 0; k < TAKE_MAX; k++) {
			struct random r = { hash(s->name) + (uint64_t)k };

			sample = (struct random){ ~r.state };
			if ((only_kind < TAKE_MAX && k != only_kind) || strstr(except, take_name((enum take_kind)k)))
				continue;
			if (k == TAKE_OTHER)
				mix(s, &r, UNLIKE);
			for (int side = 0; side < 2 && k != TAKE_OTHER; side++) {
				if (s->tale[side])
					walk_places(s, (enum take_kind)k, side, &r);
			}
		}
	}
}

static bool choose_take(const struct source *s, struct take *k, int kind, int side, struct random *r)
{
	const struct tale *t = s->tale[side];
	uint32_t places;

	memset(k, 0, sizeof(*k));
	k->kind = (enum take_kind)kind;
	k->side = side;
	places = t ? take__places(k->kind, t) : 0;
	if (!places)
		return false;
	k->place = random__below(r, places);
	k->amount = 1 + random__below(r, take__amounts(k->kind, t, k->place));
	take__choose(k, t, r);
	return k->nr || !take__has_list(k->kind);
}

static void wander(uint64_t n, uint64_t seed, int only_kind, const char *only)
{
	struct random r = { seed };

	while (n) {
		struct source *s = &sources[random__below(&r, (uint32_t)nr_sources)];
		int kind = only_kind < TAKE_MAX ? only_kind : (int)random__below(&r, TAKE_MAX), side = (int)random__below(&r, 2);
		struct step step = { .of = s, .nr = 1 };

		if (only && !strstr(s->name, only))
			continue;
		n--;
		if (kind == TAKE_OTHER) {
			mix(s, &r, 1);
			continue;
		}
		if (!choose_take(s, &step.take[0], kind, side, &r))
			continue;
		if (kind != TAKE_ALONE && !random__below(&r, 3) && choose_take(s, &step.take[1], (int)random__below(&r, TAKE_ALONE), !side, &r))
			step.nr = 2;
		try_step(&step);
	}
}

/* ---- the verdicts to start from ---- */

/* "NAME ASKED EXIT | RULE:SEVERITY ... | RULE ...": findings, and rules that say unknown. */
static void tell_whole(const char *path)
{
	FILE *f = fopen(path, "we");

	if (!f)
		die("%s: %s", path, strerror(errno));
	for (size_t i = 0; i < nr_sources; i++) {
		for (int a = DIFF; a <= CHECK_POST; a++) {
			const struct verdict *v = &sources[i].whole[a];

			fprintf(f, "%s %s %d |", sources[i].name, a == DIFF ? "diff" : a == CHECK_PRE ? "check-old" : "check-new", v->exit);
			for (size_t k = 0; k < v->nr; k++)
				fprintf(f, " %s:%s", rule_name(v->found[k].rule), severity_name(v->found[k].severity));
			fprintf(f, " |");
			for (int k = 0; v->told && k < RULES_MAX && rule_name(k); k++) {
				if (!strcmp(status_name(v->status[k]), "unknown"))
					fprintf(f, " %s", rule_name(k));
			}
			fputc('\n', f);
		}
	}
	if (fclose(f))
		die("%s: %s", path, strerror(errno));
}

/* ---- one step again ---- */

static void copy_to(int fd, const char *out, const char *name)
{
	char path[4096], buf[1 << 16];
	off_t at = 0;
	ssize_t n;
	int to;

	snprintf(path, sizeof(path), "%s/%s", out, name);
	to = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
	while (to >= 0 && (n = pread(fd, buf, sizeof(buf), at)) > 0) {
		if (write(to, buf, (size_t)n) != n)
			break;
		at += n;
	}
	if (to < 0 || n || close(to))
		die("%s: %s", path, strerror(errno));
	printf("wrote %s\n", path);
}

static void tell_verdict(const char *when, const struct verdict *v)
{
	printf("  %s: %s (exit %d)\n", when, exit_name(v->exit), v->exit);
	for (size_t i = 0; i < v->nr; i++)
		printf("    %s: %s [%s]\n", rule_name(v->found[i].rule), v->found[i].title, v->found[i].object);
}

static int again(const char *spec, const char *out)
{
	struct breach breaches[BREACHES_MAX];
	struct verdict less;
	struct step s;
	size_t all = 0;
	int fd[2];

	step__parse(&s, spec);
	step__explain(&s, stdout);
	putchar('\n');
	lay_out(&s, fd);
	for (int a = 0; a < ASKED_MAX; a++) {
		size_t nr;

		if (!concerns(&s, (enum asked)a))
			continue;
		nr = ask(&s, (enum asked)a, fd, &less, breaches);
		printf("%s\n", asked_name(a));
		tell_verdict("before", &s.of->whole[takes(&s, TAKE_ALONE) ? DIFF : a]);
		tell_verdict("after", &less);
		for (size_t i = 0; i < nr; i++)
			printf("  FAIL %s: %s\n", rule_name(breaches[i].rule), law_text(breaches[i].law));
		all += nr;
		verdict__clear(&less);
	}
	for (int i = 0; i < 2 && out; i++) {
		if (!s.of->tale[i])
			continue;
		copy_to(s.of->fd[i], out, i ? "whole.post" : "whole.pre");
		copy_to(fd[i], out, i ? "less.post" : "less.pre");
	}
	return all > 0;
}

static void clean_up(void)
{
	char path[128];

	for (size_t i = 0; i < nr_sources; i++) {
		snprintf(path, sizeof(path), "%s/known.%zu", work, i);
		unlink(path);
		snprintf(path, sizeof(path), "%s/fresh.%zu", work, i);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/policy", work);
	unlink(path);
	rmdir(work);
}

static int usage(void)
{
	fprintf(stderr, "Usage: monotone [-k KIND] [-x KIND,KIND] [-o NAME] [-n N [-s SEED]] [-t N] [-l FILE] [-v FILE] [-r SPEC [-w OUT]] DIR\n");
	return 64;
}

int main(int argc, char **argv)
{
	const char *only = NULL, *spec = NULL, *out = NULL, *whole_path = NULL;
	uint64_t n = 0, seed = (uint64_t)time(NULL);
	int c, kind = TAKE_MAX, ret;

	self = argv[0];
	while ((c = getopt(argc, argv, "k:x:o:n:s:t:l:v:r:w:")) != -1) {
		switch (c) {
		case 'k': kind = take_by_name(optarg); break;
		case 'x': except = optarg; break;
		case 'o': only = optarg; break;
		case 'n': n = strtoull(optarg, NULL, 10); break;
		case 's': seed = strtoull(optarg, NULL, 10); break;
		case 't': one_in = (uint32_t)strtoul(optarg, NULL, 10); break;
		case 'v': whole_path = optarg; break;
		case 'l': list_path = optarg; break;
		case 'r': spec = optarg; break;
		case 'w': out = optarg; break;
		default: return usage();
		}
		if (c == 'k' && kind == TAKE_MAX)
			return usage();
	}
	if (optind + 1 != argc)
		return usage();
	dir = argv[optind];
	if (!mkdtemp(work))
		die("%s: %s", work, strerror(errno));
	atexit(clean_up);
	signal(SIGSEGV, died);
	signal(SIGABRT, died);
	scratch[0] = memfd();
	scratch[1] = memfd();
	find_sources("golden");
	find_sources("lab");
	qsort(sources, nr_sources, sizeof(*sources), by_name);
	for (size_t i = 0; i < nr_sources; i++)
		learn(&sources[i]);
	if (whole_path)
		tell_whole(whole_path);
	if (spec)
		return again(spec, out);
	if (n) {
		printf("%llu steps at random, seed %llu\n", (unsigned long long)n, (unsigned long long)seed);
		wander(n, seed, kind, only);
	} else {
		walk(kind, only);
	}
	ret = tell_all();
	return ret;
}
