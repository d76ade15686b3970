# SPDX-License-Identifier: GPL-2.0
# Samples by two names, their median, and how a table tells them. For awk -f median.awk -f PROGRAM.
function sample(who, what, value) {
	v[who, what, ++nr[who, what]] = value
}

function median(who, what,   i, j, t, n) {
	n = nr[who, what]
	for (i = 1; i <= n; i++) for (j = i + 1; j <= n; j++) if (v[who, what, j] < v[who, what, i]) {
		t = v[who, what, i]; v[who, what, i] = v[who, what, j]; v[who, what, j] = t
	}
	return n % 2 ? v[who, what, (n + 1) / 2] : (v[who, what, n / 2] + v[who, what, n / 2 + 1]) / 2
}

# Median (lowest..highest), each in FORM.
function cell(who, what, form,   m) {
	if (!nr[who, what])
		return "-"
	m = median(who, what)
	return sprintf(form " (" form ".." form ")", m, v[who, what, 1], v[who, what, nr[who, what]])
}
