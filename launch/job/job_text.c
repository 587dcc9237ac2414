/* job_text: a job as YAML that reads back to the same job. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "launch/job/job.h"
#include "launch/job/yaml.h"

/* Whether a text may stand without quotes: letters, digits and what needs none, single spaces. */
static bool is_plain(const char *text)
{
    size_t length = strlen(text);
    bool nothing = strcmp(text, "null") == 0 || strcmp(text, "~") == 0;
    if (length == 0 || nothing || !(isalnum((unsigned char)text[0]) || strchr("/.", text[0])))
        return false;
    for (const char *c = text; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("/._-+=,@", *c) &&
            !(*c == ' ' && c[1] && c[1] != ' '))
            return false;
    return strcmp(text, "...") != 0;
}

/* Whether a text may stand as a block of lines (|): a space at its beginning would be taken for
 * indentation. */
static bool is_block(const char *text)
{
    return !strchr(" \t\n", text[0]) && ls_yaml_prints(text);
}

/* "    batch:". The dash that begins an entry of a list stands before its first key only. */
static void put_key(FILE *out, char *indent, const char *key)
{
    fprintf(out, "%s%s:", indent, key);
    char *dash = strchr(indent, '-');
    if (dash)
        *dash = ' ';
}

static void put_text(FILE *out, char *indent, const char *key, const char *text)
{
    if (!text)
        return;
    put_key(out, indent, key);
    fputc(' ', out);
    if (is_plain(text))
        fputs(text, out);
    else
        ls_yaml_write_text(text, out);
    fputc('\n', out);
}

static void put_long(FILE *out, char *indent, const char *key, long value)
{
    if (!value)
        return;
    put_key(out, indent, key);
    fprintf(out, " %ld\n", value);
}

static void put_switch(FILE *out, char *indent, const char *key, long on)
{
    put_text(out, indent, key, on ? "true" : NULL);
}

/* Lines of a net; -, nothing, + after | say how many line ends close the text: 0, 1, more. */
static void put_block(FILE *out, char *indent, const char *key, const char *text)
{
    if (!text || !is_block(text)) {
        put_text(out, indent, key, text);
        return;
    }
    size_t length = strlen(text), ends = 0;
    while (ends < length && text[length - 1 - ends] == '\n')
        ends++;
    fprintf(out, "%s: |%s\n", key, ends == 0 ? "-" : ends == 1 ? "" : "+");
    while (*text) {
        size_t line = strcspn(text, "\n");
        fprintf(out, "%s%.*s\n", line ? "  " : "", (int)line, text);
        text += line + (text[line] == '\n');
    }
}

static void put_every(FILE *out, const ls_every *every)
{
    static const char *const units[] = {
        [LS_EVERY_EPOCHS] = "epoch", [LS_EVERY_STEPS] = "step", [LS_EVERY_MINUTES] = "minute"};
    char count[32];
    double back;
    if (every->unit == LS_EVERY_NEVER) {
        fputs("  every: never\n", out);
        return;
    }
    for (int digits = 6; digits <= 17; digits++) { /* as few as bring the same number back */
        snprintf(count, sizeof count, "%.*g", digits, every->count);
        if (sscanf(count, "%lf", &back) == 1 && back == every->count)
            break;
    }
    fprintf(out, "  every: %s %s%s\n", count, units[every->unit], every->count == 1 ? "" : "s");
}

static void put_optimizers(FILE *out, char *indent, const ls_job_stage *stage)
{
    char deeper[] = "      ";
    if (stage->optimizers && !stage->optimizer[0].phase) {
        put_text(out, indent, "optimizer", stage->optimizer[0].spec);
    } else if (stage->optimizers) {
        put_key(out, indent, "optimizer");
        fputc('\n', out);
        for (int i = 0; i < stage->optimizers; i++)
            put_text(out, deeper, stage->optimizer[i].phase, stage->optimizer[i].spec);
    }
}

static void put_stage(FILE *out, const ls_job_stage *stage)
{
    char indent[] = "  - ";
    put_text(out, indent, "objective", stage->objective);
    put_optimizers(out, indent, stage);
    put_text(out, indent, "schedule", stage->schedule);
    put_long(out, indent, "batch", stage->batch);
    put_long(out, indent, "epochs", stage->epochs);
    put_long(out, indent, "steps", stage->steps);
    if (strchr(indent, '-')) /* all of it is left to the model's recipe */
        fputs("  - {}\n", out);
}

char *ls_job_text(const ls_job *job)
{
    char *text = NULL, top[] = "", inside[] = "  ";
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    ls_check(out, "out of memory for the text of a job");
    put_text(out, top, "data", job->data);
    put_text(out, top, "run", job->run);
    put_text(out, top, "model", job->model);
    put_block(out, top, "net", job->net);
    put_block(out, top, "transform", job->transform);
    put_switch(out, top, "exact_conv", job->exact_conv);
    fprintf(out, "seed: %ld\n", job->seed);
    put_long(out, top, "shards", job->shards);
    put_long(out, top, "accumulate", job->accumulate);
    fputs("stages:\n", out);
    for (int i = 0; i < job->stages; i++)
        put_stage(out, &job->stage[i]);
    fputs("evaluate:\n", out);
    put_every(out, &job->evaluate.every);
    put_text(out, inside, "split", job->evaluate.split);
    put_long(out, inside, "stop_after", job->evaluate.stop_after);
    put_text(out, inside, "metric", job->evaluate.metric);
    put_switch(out, inside, "average", job->evaluate.average);
    fputs("checkpoint:\n", out);
    put_every(out, &job->checkpoint.every);
    fprintf(out, "  keep: %ld\n", job->checkpoint.keep);
    ls_check(fclose(out) == 0, "out of memory for the text of a job");
    char *copy = ls_copy_string(text);
    free(text); /* open_memstream's */
    return copy;
}
