/* svg: the shapes of a picture of curves as plain SVG. */
#include "launch/plot/svg.h"

static const char font[] = "font-family='Helvetica, Arial, DejaVu Sans, sans-serif'";

/* The bytes of the UTF-8 character at `text`; 0 where there is no character that XML allows. */
static int utf8_length(const unsigned char *text)
{
    static const unsigned char first[] = {0x20, 0x80, 0xc2, 0xe0, 0xf0, 0xf5};
    static const int lengths[] = {0, 1, 0, 2, 3, 4, 0};
    size_t k = 0;
    while (k < sizeof first && text[0] >= first[k])
        k++;
    for (int i = 1; i < lengths[k]; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    return lengths[k];
}

static void put_escaped(FILE *out, const char *text)
{
    static const char *const entities[128] = {
        ['<'] = "&lt;", ['>'] = "&gt;", ['&'] = "&amp;", ['\''] = "&#39;", ['"'] = "&quot;"};
    for (const unsigned char *c = (const unsigned char *)text; *c;) {
        int length = utf8_length(c);
        if (length == 0)
            fputc('?', out);
        else if (length == 1 && entities[*c])
            fputs(entities[*c], out);
        else
            fwrite(c, 1, (size_t)length, out);
        c += length ? length : 1;
    }
}

void ls_svg_begin(FILE *out, double width, double height, const char *title)
{
    fprintf(out,
            "<?xml version='1.0' encoding='UTF-8'?>\n"
            "<svg xmlns='http://www.w3.org/2000/svg' version='1.1' width='%g' height='%g' "
            "viewBox='0 0 %g %g' %s>\n<title>",
            width, height, width, height, font);
    put_escaped(out, title);
    fprintf(out, "</title>\n<rect x='0.0' y='0.0' width='%.1f' height='%.1f' fill='#fff'/>\n",
            width, height);
}

void ls_svg_clip(FILE *out, double x, double y, double width, double height)
{
    fprintf(out,
            "<clipPath id='at%.0f-%.0f'><rect x='%.1f' y='%.1f' width='%.1f' "
            "height='%.1f'/></clipPath>\n"
            "<g clip-path='url(#at%.0f-%.0f)'>\n",
            x, y, x, y, width, height, x, y);
}

void ls_svg_line(FILE *out, double x1, double y1, double x2, double y2, const char *style)
{
    fprintf(out, "<line x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f' %s/>\n", x1, y1, x2, y2, style);
}

void ls_svg_text(FILE *out, double x, double y, ls_svg_anchor anchor, const char *style,
                 const char *text)
{
    static const char *const anchors[] = {"start", "middle", "end"};
    fprintf(out, "<text x='%.1f' y='%.1f' text-anchor='%s' %s>", x, y, anchors[anchor], style);
    put_escaped(out, text);
    fputs("</text>\n", out);
}

double ls_svg_text_width(const char *text, double font_size)
{
    static const double share = 0.56; /* mean width of Helvetica's characters over their height */
    double width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) == 0x80 ? 0 : share * font_size;
    return width;
}

void ls_svg_mark(FILE *out, int mark, double x, double y, const char *style)
{
    static const char *const shapes[LS_SVG_MARKS] = {
        "m-3.2 0a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0 -6.4 0z", "m-3 -3h6v6h-6z",
        "m0 -4l3.8 6.6h-7.6z", "m0 -4.2l4.2 4.2l-4.2 4.2l-4.2 -4.2z"};
    fprintf(out, "<path d='M%.1f %.1f%s' %s/>\n", x, y, shapes[mark], style);
}
